# Regenerates the Java bindings from panorm.h, with a jextract on the PATH (built on libclang 16 or
# newer; older ones print other comments): mvn -Pbindings -pl native generate-sources

get_filename_component(root ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
set(header native/include/panorm.h)
set(generated ${root}/java/panorm/src/main/java/dev/panorm/internal/gen)
set(stamp ${root}/java/panorm/src/main/resources/dev/panorm/internal/gen/panorm.h.sha256)

find_program(JEXTRACT jextract)
if(NOT JEXTRACT)
  message(FATAL_ERROR "jextract not found on the PATH: see https://jdk.java.net/jextract")
endif()

file(REMOVE_RECURSE ${generated})
execute_process(
  COMMAND ${JEXTRACT} --output java/panorm/src/main/java -t dev.panorm.internal.gen
    --header-class-name PanormNative @native/jextract.args ${header}
  WORKING_DIRECTORY ${root}
  COMMAND_ERROR_IS_FATAL ANY)

# C long has 4 bytes on Windows, and jextract's cast of its layout to OfLong would fail there as the
# class is initialized. size_t has 8 bytes everywhere; panorm.h uses neither.
set(shared ${generated}/PanormNative$shared.java)
set(found [[canonicalLayouts().get("long")]])
set(fixed [[canonicalLayouts().get("size_t")]])
file(READ ${shared} text)
string(FIND "${text}" "${found}" at)
if(at EQUAL -1)
  message(FATAL_ERROR "${shared} has no ${found}: has jextract changed?")
endif()
string(REPLACE "${found}" "${fixed}" text "${text}")
file(WRITE ${shared} "${text}")

# What the bindings were made from and by: a test fails when the header has changed since.
execute_process(COMMAND ${JEXTRACT} --version
  OUTPUT_VARIABLE version ERROR_VARIABLE version COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCH "^[^\r\n]*" version "${version}")
file(SHA256 ${root}/${header} digest)
file(WRITE ${stamp} "${digest}\n${version}\n")
