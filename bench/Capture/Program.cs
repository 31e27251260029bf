using System.Globalization;
using Native.LibUsb.Bench;

Work work;
try
{
    work = Work.Parse(args);
}
catch (FormatException exception)
{
    Console.Error.WriteLine($"capture: {exception.Message}");
    return 2;
}

var captures = new Capture[work.Contexts];
for (int i = 0; i < captures.Length; i++)
{
    captures[i] = work.Layer switch
    {
        "raw" => new RawCapture(work),
        "ring" => new RingCapture(work, timestamps: true),
        "ring-untimed" => new RingCapture(work, timestamps: false),
        _ => new FacadeCapture(work),
    };
    captures[i].Open(i);
    captures[i].Start();
}

// Each line of the input is a number. For each line, the program completes this number of transfers in each context, and prints the processor time and the
// elapsed time of these transfers in nanoseconds.
long allocated = 0, allocatedElsewhere = 0;
int collections = 0, slices = 0;
using (var threads = new SliceThreads(captures))
{
    while (Console.In.ReadLine() is { } line)
    {
        long transfers = long.Parse(line, NumberStyles.None, CultureInfo.InvariantCulture);
        long allocatedBefore = GC.GetTotalAllocatedBytes(true);
        int collectionsBefore = GC.CollectionCount(0);
        (long processor, long wall) = threads.Slice(transfers);
        long all = GC.GetTotalAllocatedBytes(true) - allocatedBefore;
        if (slices++ >= Work.WarmUpSlices)
        {
            collections += GC.CollectionCount(0) - collectionsBefore;
            long here = captures.Sum(static capture => capture.Allocated);
            allocated += here;
            allocatedElsewhere += all - here;
        }

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{processor} {wall}"));
    }
}

foreach (Capture capture in captures)
    capture.Stop();
Console.WriteLine(string.Create(
    CultureInfo.InvariantCulture,
    $"{{\"completed\":{captures.Sum(c => c.Results.Completed)},\"failed\":{captures.Sum(c => c.Results.Failed)},\"bytes\":{captures.Sum(c => c.Results.Bytes)},\"sum\":{captures.Sum(c => c.Results.Sum)},\"peakKib\":{PeakKib()},\"allocated\":{allocated},\"allocatedElsewhere\":{allocatedElsewhere},\"collections\":{collections}}}"));
foreach (Capture capture in captures)
    capture.Dispose();
return captures.All(c => c.Results.Failed == 0) ? 0 : 1;

static int PeakKib()
{
    string line = File.ReadLines("/proc/self/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
    return int.Parse(line.AsSpan("VmHWM:".Length).Trim().TrimEnd("kB").Trim(), NumberStyles.None, CultureInfo.InvariantCulture);
}
