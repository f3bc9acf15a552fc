package dev.panorm.bench;

/** A part of the report that is measured, and kept, by itself. */
enum Section {
  /** Native against Java, duels. */
  JAVA,
  /** One form of the library against another: what fusing, a narrower type and so on save. */
  FORMS,
  /** Against moving the bytes alone. */
  LIMIT,
  /** The public API against the raw handle and a loop in C. */
  CALL,
  /** Other libraries; only with their module. */
  PEERS,
  /** Fresh JVMs. */
  START_UP,
  /** Under load. */
  LATENCY,
  /** Times and allocations by JMH. */
  JMH
}
