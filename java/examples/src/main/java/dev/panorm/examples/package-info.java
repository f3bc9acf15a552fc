/**
 * The story teller: a small language model whose every norm runs through Panorm.
 *
 * <p>{@link dev.panorm.examples.StoryTeller} reads the options, {@link
 * dev.panorm.examples.Checkpoint} and {@link dev.panorm.examples.Tokenizer} read the files, {@link
 * dev.panorm.examples.Transformer} computes, {@link dev.panorm.examples.Sampler} chooses, {@link
 * dev.panorm.examples.TextStream} prints, {@link dev.panorm.examples.Stats} measures, and {@link
 * dev.panorm.examples.Narrator} is the loop that joins them.
 */
package dev.panorm.examples;
