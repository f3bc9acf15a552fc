package dev.panorm.paper.run;

import dev.panorm.paper.BadInput;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Dimension;
import java.awt.geom.Rectangle2D;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.apache.batik.svggen.SVGGraphics2D;
import org.apache.batik.svggen.SVGSyntax;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.plot.XYPlot;
import org.jfree.chart.renderer.xy.XYLineAndShapeRenderer;
import org.jfree.data.xy.XYSeries;
import org.jfree.data.xy.XYSeriesCollection;
import org.w3c.dom.Document;

/**
 * Writes what logs say into a Markdown page, between the lines {@code <!-- begin experiment -->}
 * and {@code <!-- end experiment -->}, and learning curves beside the logs. What stands elsewhere on
 * the page is left as it is.
 */
final class Report {
  private static final int WIDTH = 560;
  private static final int HEIGHT = 380;

  /** Told apart by the colour-blind too (Okabe and Ito). */
  private static final List<Color> COLORS = List.of(new Color(0x0072b2), new Color(0xe69f00),
      new Color(0x009e73), new Color(0xd55e00), new Color(0xcc79a7), new Color(0x56b4e9));

  private final Path results;
  private final Path page;

  Report(Path results, Path page) {
    this.results = results;
    this.page = page;
  }

  /** Fills in every experiment that the page has a place for. */
  void write() {
    System.setProperty("java.awt.headless", "true");
    try {
      List<String> lines = new ArrayList<>();
      String open = null;
      for (String line : Files.readAllLines(page)) {
        if (open == null || line.equals("<!-- end " + open + " -->")) {
          lines.add(line);
          open = null;
        }
        if (line.startsWith("<!-- begin ") && line.endsWith(" -->")) {
          open = line.substring("<!-- begin ".length(), line.length() - " -->".length());
          lines.addAll(section(open));
        }
      }
      if (open != null) {
        throw new BadInput("%s: there is no line \"<!-- end %s -->\"", page, open);
      }
      Files.writeString(page, String.join("\n", lines) + "\n"); // on every system the same
    } catch (IOException e) {
      throw new BadInput("%s: cannot be read or written: %s", page, e);
    }
  }

  private List<String> section(String experiment) throws IOException {
    Path folder = results.resolve(experiment);
    Summary summary = new Summary(folder);
    Path place = page.toAbsolutePath().getParent().relativize(folder.toAbsolutePath());
    draw(summary, folder.resolve("loss-steps.svg"), "steps", norm -> 1);
    draw(summary, folder.resolve("loss-time.svg"), "processor seconds", summary::secondsPerStep);
    List<String> lines = new ArrayList<>(List.of("", summary.conditions(), ""));
    lines.addAll(summary.table().lines().toList());
    lines.add("");
    for (String chart : List.of("steps", "time")) {
      lines.add("![%s: development loss against %s](%s/loss-%s.svg)".formatted(experiment, chart,
          place.toString().replace('\\', '/'), chart));
    }
    lines.add("");
    return lines;
  }

  /** What a step takes on the axis. */
  @FunctionalInterface
  private interface Scale {
    double perStep(String norm);
  }

  private static void draw(Summary summary, Path file, String axis, Scale scale)
      throws IOException {
    XYSeriesCollection data = new XYSeriesCollection();
    for (String norm : summary.norms()) {
      XYSeries series = new XYSeries(norm);
      double perStep = scale.perStep(norm);
      summary.curve(norm).forEach((step, loss) -> series.add(step * perStep, loss));
      data.addSeries(series);
    }
    NumberAxis losses = new NumberAxis("development loss, nats per token");
    losses.setAutoRangeIncludesZero(false);
    XYLineAndShapeRenderer renderer = new XYLineAndShapeRenderer(true, false);
    for (int i = 0; i < data.getSeriesCount(); i++) {
      renderer.setSeriesPaint(i, COLORS.get(i % COLORS.size()));
      renderer.setSeriesStroke(i, new BasicStroke(2));
    }
    JFreeChart chart = new JFreeChart(new XYPlot(data, new NumberAxis(axis), losses, renderer));
    chart.setBackgroundPaint(Color.WHITE);
    chart.getPlot().setBackgroundPaint(Color.WHITE);
    SVGGraphics2D graphics = new SVGGraphics2D(document());
    graphics.setSVGCanvasSize(new Dimension(WIDTH, HEIGHT));
    chart.draw(graphics, new Rectangle2D.Double(0, 0, WIDTH, HEIGHT));
    try (Writer out = Files.newBufferedWriter(file)) {
      graphics.stream(out, true);
    }
  }

  private static Document document() {
    try {
      return DocumentBuilderFactory.newInstance()
          .newDocumentBuilder()
          .getDOMImplementation()
          .createDocument(SVGSyntax.SVG_NAMESPACE_URI, "svg", null);
    } catch (ParserConfigurationException e) {
      throw new IllegalStateException(e);
    }
  }
}
