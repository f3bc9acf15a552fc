package dev.panorm.paper;

/** Something from outside cannot be right: its message is the one line that a user gets. */
public final class BadInput extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** With a message to be formatted. */
  public BadInput(String message, Object... numbers) {
    super(message.formatted(numbers));
  }
}
