# Builds the library for another platform and bundles it:
#   cmake -DTOOLCHAIN=<file> -DBUILD=<folder> -DPREFIX=<folder> -P cross.cmake
function(run)
  execute_process(COMMAND ${CMAKE_COMMAND} ${ARGN} RESULT_VARIABLE status)
  if(status)
    message(FATAL_ERROR "cmake ${ARGN} failed")
  endif()
endfunction()

get_filename_component(root ${CMAKE_CURRENT_LIST_DIR}/../.. ABSOLUTE)
run(-S ${root} -B ${BUILD} --toolchain ${CMAKE_CURRENT_LIST_DIR}/${TOOLCHAIN}
  -DCMAKE_BUILD_TYPE=Release -DBUILD_TESTING=OFF)
run(--build ${BUILD} --parallel 4)
run(--install ${BUILD} --component bundle --prefix ${PREFIX})
