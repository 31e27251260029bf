using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace Native.LibUsb.Bench.Report;

/// <summary>Draws the plots of the growing costs.</summary>
internal static class Plot
{
    private static readonly Dictionary<string, OxyColor> s_colours = new()
    {
        ["c"] = OxyColors.DimGray,
        ["aot-raw"] = OxyColors.SeaGreen,
        ["aot-facade"] = OxyColors.RoyalBlue,
        ["jit-facade"] = OxyColors.DarkOrange,
    };

    public static void Write(GrowthSeries growth, string path)
    {
        var model = new PlotModel { Title = "Processor time of one transfer", Subtitle = growth.Title, Background = OxyColors.White };
        model.Legends.Add(new Legend { LegendPosition = LegendPosition.BottomRight });
        int[] numbers = [.. growth.Points.Select(point => point.Number)];
        model.Axes.Add(new LogarithmicAxis
        {
            Position = AxisPosition.Bottom,
            Base = 2,
            Title = growth.Name.Replace('-', ' '),
            Minimum = numbers[0] / 1.2,
            Maximum = numbers[^1] * 1.2,
            MajorGridlineStyle = LineStyle.Solid,
            MajorGridlineColor = OxyColors.Gainsboro,
        });
        double most = growth.Points.Max(point => point.Measurements.Max(m => m.Nanoseconds.High));
        model.Axes.Add(new LinearAxis
        {
            Position = AxisPosition.Left,
            Title = "ns",
            Minimum = 0,
            Maximum = most * 1.1,
            MajorGridlineStyle = LineStyle.Solid,
            MajorGridlineColor = OxyColors.Gainsboro,
        });
        for (int i = 0; i < growth.Points[0].Measurements.Count; i++)
        {
            string subject = growth.Points[0].Measurements[i].Subject;
            OxyColor colour = s_colours.GetValueOrDefault(subject, OxyColors.Black);
            var line = new LineSeries { Title = Subjects.TitleOf(subject), Color = colour, MarkerType = MarkerType.Circle, MarkerFill = colour };
            foreach (GrowthPoint point in growth.Points)
                line.Points.Add(new DataPoint(point.Number, point.Measurements[i].Nanoseconds.Median));
            model.Series.Add(line);
        }

        using FileStream file = File.Create(path);
        new SvgExporter { Width = 720, Height = 400 }.Export(model, file);
    }
}
