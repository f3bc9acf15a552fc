package dev.panorm.paper.data;

/**
 * Windows of a text, by time: element {@code t * size + b} is step t of window b.
 *
 * @param size how many windows
 * @param input tokens
 * @param output the token after each
 */
public record TextBatch(int size, int[] input, int[] output) {}
