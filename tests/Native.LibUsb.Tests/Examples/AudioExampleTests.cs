using System.Buffers.Binary;
using Examples;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Examples;

/// <summary>
/// Tests the example that plays sound. The example runs in this process. The virtual device checks the length of every packet and the value of every sample.
/// </summary>
public sealed class AudioExampleTests : BusTest
{
    private const int Seconds = 10, SampleRate = 44_100;
    private const int Whole = 14; // fraction bits of a report

    // A report does not affect the packets immediately. The host first processes the earlier reports that it has not read yet, and sends the packets of up to 5
    // transfers that it has already filled.
    private const int ReportsUntilHeard = 12;

    [BusTheory]
    [InlineData(0)]
    [InlineData(500)]
    [InlineData(-500)]
    public async Task Ten_seconds_arrive_at_the_rate_of_the_devices_clock(int deviation)
    {
        using Watchdog watchdog = new(seconds: 120);
        var device = new AudioSink(new AudioSinkOptions { ClockDeviation = deviation });
        Queue<int> reports = new([(SampleRate << Whole) / 1000]);
        List<string> wrong = [];
        long frames = 0, packets = 0;
        device.Reported = report =>
        {
            reports.Enqueue(report);
            if (reports.Count > ReportsUntilHeard)
                reports.Dequeue();
        };
        device.PacketTaken = (number, data) =>
        {
            int whole = data.Length / AudioSink.FrameSize;
            if (data.Length % AudioSink.FrameSize != 0 || whole < reports.Min() >> Whole || whole > (reports.Max() >> Whole) + 1)
                wrong.Add($"packet {number} has {data.Length} bytes, and the device requested {reports.Min() / 16384.0} to {reports.Max() / 16384.0} frames");
            for (int at = 0; at + AudioSink.FrameSize <= data.Length; at += AudioSink.FrameSize, frames++)
            {
                if (BinaryPrimitives.ReadUInt16LittleEndian(data[at..]) != (ushort)frames || BinaryPrimitives.ReadUInt16LittleEndian(data[(at + 2)..]) != (ushort)~frames)
                    wrong.Add($"frame {frames} of packet {number} has the wrong content");
            }

            packets++;
        };
        Bus.Attach(device);
        var said = new Transcript();

        await AudioPlayback.RunAsync(device.Options.VendorId, device.Options.ProductId, Seconds, said);

        Assert.Empty(wrong.Take(5));
        Assert.Equal((0, 0), (device.Underruns, device.Overruns));
        Assert.True(frames >= Seconds * SampleRate);
        Assert.Equal($"Played {frames} frames in {packets} packets, at the rate of the device", said.Lines[^1]);
        double sent = frames / (packets / 1000.0), wanted = SampleRate * (1 + (deviation / 1e6));
        Assert.InRange(sent, wanted - 5, wanted + 5); // the fill level may still move by a few frames
        (long lowest, long highest) = device.FillRange;
        Assert.InRange(lowest, 3900, 4096);
        Assert.InRange(highest, 4096, 4300);
    }
}
