package dev.panorm.bench;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Dimension;
import java.awt.geom.Rectangle2D;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.ToDoubleFunction;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.apache.batik.svggen.SVGGraphics2D;
import org.apache.batik.svggen.SVGSyntax;
import org.jfree.chart.JFreeChart;
import org.jfree.chart.axis.CategoryAxis;
import org.jfree.chart.axis.CategoryLabelPositions;
import org.jfree.chart.axis.LogarithmicAxis;
import org.jfree.chart.axis.NumberAxis;
import org.jfree.chart.plot.CategoryPlot;
import org.jfree.chart.renderer.category.AbstractCategoryItemRenderer;
import org.jfree.chart.renderer.category.BarRenderer;
import org.jfree.chart.renderer.category.LineAndShapeRenderer;
import org.jfree.chart.renderer.category.StandardBarPainter;
import org.jfree.data.category.DefaultCategoryDataset;
import org.w3c.dom.Document;

/** The report's pictures, as SVG; those of what was not measured are left as they are. */
record Charts(Measurements measured) {
  private static final String RMS = "native:rms_norm:f32";
  private static final int WIDTH = 860;
  private static final int HEIGHT = 400;

  /** Told apart by the colour-blind too (Okabe and Ito). */
  private static final List<Color> COLORS = List.of(new Color(0x0072b2), new Color(0xe69f00),
      new Color(0x009e73), new Color(0xd55e00), new Color(0xcc79a7), new Color(0x56b4e9));

  void write(Path folder) throws IOException {
    System.setProperty("java.awt.headless", "true");
    ratios(folder.resolve("java.svg"), List.of("plain", "scalar", "vector", "vector-segment"));
    ratios(folder.resolve("peers.svg"),
        measured.duels(Section.PEERS)
            .stream()
            .filter(d -> d.first().equals(RMS))
            .map(d -> Side.contenderOf(d.second()))
            .distinct()
            .toList());
    limit(folder.resolve("limit.svg"));
    startUp(folder.resolve("start-up.svg"));
  }

  private void ratios(Path file, List<String> others) throws IOException {
    DefaultCategoryDataset data = new DefaultCategoryDataset();
    for (String other : others) {
      for (Duel.Outcome d : measured.duels(RMS, other + ":rms_norm:f32")) {
        if (d.rows() == 1) {
          data.addValue(d.result().ratio(), other, String.valueOf(d.cols()));
        }
      }
    }
    NumberAxis axis = new LogarithmicAxis("ratio, logarithmic");
    axis.setAutoRangeIncludesZero(false);
    save("RMSNorm f32, one row: time of the others / time of the library", data, "columns", axis,
        new LineAndShapeRenderer(), file);
  }

  private void limit(Path file) throws IOException {
    DefaultCategoryDataset data = new DefaultCategoryDataset();
    for (Duel.Outcome d : measured.duels("memcpy:copy:f32", RMS)) {
      double speed = 8 * d.shape().elements() / d.result().first();
      data.addValue(speed, "memcpy", d.shape().toString());
      data.addValue(speed / d.result().ratio(), "RMSNorm", d.shape().toString());
    }
    for (Duel.Outcome d : measured.duels("segment-copy:copy:f32", RMS)) {
      double speed = 8 * d.shape().elements() / d.result().first();
      data.addValue(speed, "MemorySegment.copy", d.shape().toString());
    }
    save("Bytes of x and y per second, f32", data, "shape", new NumberAxis("GB/s"), bars(), file);
  }

  private void startUp(Path file) throws IOException {
    DefaultCategoryDataset data = new DefaultCategoryDataset();
    startUp(data, "first result after", StartUpProbe.Outcome::first);
    startUp(data, "calls 2 to 1,000", StartUpProbe.Outcome::next999);
    startUp(data, "calls 2 to 10,000", StartUpProbe.Outcome::next9999);
    startUp(data, "full speed after", StartUpProbe.Outcome::full);
    save("A fresh JVM, RMSNorm 1 x 1024", data, "", new NumberAxis("ms"), bars(), file);
  }

  private void startUp(DefaultCategoryDataset data, String name,
      ToDoubleFunction<StartUpProbe.Outcome> of) {
    for (StartUpVariant variant : StartUpVariant.all()) {
      measured.startUp(variant.name())
          .ifPresent(s -> data.addValue(of.applyAsDouble(s), name, variant.name()));
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

  private static BarRenderer bars() {
    BarRenderer bars = new BarRenderer();
    bars.setBarPainter(new StandardBarPainter());
    bars.setShadowVisible(false);
    return bars;
  }

  private static void save(String title, DefaultCategoryDataset data, String name, NumberAxis axis,
      AbstractCategoryItemRenderer renderer, Path file) throws IOException {
    if (data.getRowCount() == 0) {
      return;
    }
    for (int i = 0; i < data.getRowCount(); i++) {
      renderer.setSeriesPaint(i, COLORS.get(i % COLORS.size()));
      renderer.setSeriesStroke(i, new BasicStroke(2));
    }
    CategoryAxis categories = new CategoryAxis(name);
    categories.setCategoryLabelPositions(CategoryLabelPositions.UP_45);
    JFreeChart chart = new JFreeChart(title, new CategoryPlot(data, categories, axis, renderer));
    chart.setBackgroundPaint(Color.WHITE);
    chart.getPlot().setBackgroundPaint(Color.WHITE);
    chart.getCategoryPlot().setRangeGridlinePaint(Color.LIGHT_GRAY);
    SVGGraphics2D graphics = new SVGGraphics2D(document());
    graphics.setSVGCanvasSize(new Dimension(WIDTH, HEIGHT));
    chart.draw(graphics, new Rectangle2D.Double(0, 0, WIDTH, HEIGHT));
    try (Writer out = Files.newBufferedWriter(file)) {
      graphics.stream(out, true);
    }
  }
}
