package dev.panorm.paper.data;

/**
 * A sentence and its translation.
 *
 * @param page where it is from: a page is either trained on or tested on, never both
 */
public record Pair(String source, String target, String page) {}
