using System.Text.Json;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Usbcap;

/// <summary>Tests every byte and the summary of captures that succeed.</summary>
public sealed class CaptureTests : UsbcapTest
{
    private const int PacketSize = 3072;

    [BusFact]
    public void An_isochronous_capture_is_exact_and_allocates_nothing()
    {
        AttachCamera(); // the camera is faster than any disk, and the buffer holds all packets
        JsonElement summary = Run("capture", "-o", "x", "--packets", "20000", "--json", "--strict", "--buffer", "64MiB").Succeeded().Json();
        Assert.Equal(20000, CheckPattern(Read("x"), PacketSize).Packets);
        Assert.Equal([PathOf("x")], Directory.GetFiles(Folder));

        Assert.Equal("0x81", summary.GetProperty("endpoint").GetString());
        Assert.Equal("isochronous", summary.GetProperty("type").GetString());
        Assert.Equal(4, summary.GetProperty("alternateSetting").GetInt32());
        Assert.Equal(20000, summary.GetProperty("packets").GetInt64());
        Assert.Equal(20000L * PacketSize, summary.GetProperty("bytes").GetInt64());
        Assert.Equal(0, summary.GetProperty("lost").GetInt64());
        Assert.Equal(0, summary.GetProperty("errors").GetProperty("total").GetInt64());
        Assert.Equal(0, summary.GetProperty("allocatedBytes").GetInt64());
        Assert.Equal(0, summary.GetProperty("collections").GetInt64());
        Assert.Equal("limit", summary.GetProperty("outcome").GetString());
        Assert.Equal(2.5, summary.GetProperty("deviceSeconds").GetDouble(), 6);
        Assert.Equal(24.576, summary.GetProperty("megabytesPerSecond").GetDouble(), 6);
        Assert.InRange(summary.GetProperty("peakResidentBytes").GetInt64(), 1, (64 + 32) << 20); // the buffer, which fills when the disk is slow, and the program
    }

    [BusFact]
    public void The_progress_line_shows_the_received_data_and_allocates_nothing()
    {
        AttachCamera(new IsoSourceOptions());
        UsbcapResult result = Run("capture", "-o", "x", "--duration", "700ms", "--progress", "--json");
        Assert.Equal(0, result.ExitCode);
        Assert.Matches(@"\r0\.[0-9] s  [0-9]+\.[0-9]{3} MB/s  [0-9]+ packets  [0-9]+ MB  lost [0-9]+  errors 0", result.Error);
        Assert.EndsWith("\r\e[K", result.Error); // the line is erased at the end
        Assert.Equal(0, result.Json().GetProperty("allocatedBytes").GetInt64());
    }

    [BusTheory]
    [InlineData(VirtualSpeed.Full, 1023)]
    [InlineData(VirtualSpeed.Super, 49152)]
    public void The_setting_with_the_most_bandwidth_is_taken_at_every_speed(VirtualSpeed speed, int packetSize)
    {
        // The camera is not paced: it sends a packet whenever the host requests one. On a slow machine, the host requests no packet in some service intervals,
        // and usbcap reports these intervals as missed. The test therefore does not use --strict. The buffer has room for all 1000 packets, so usbcap drops no
        // packet even if the disk stops writing. The number in each packet shows whether a packet is lost.
        AttachCamera(new IsoSourceOptions { Speed = speed, Paced = false });
        Run("capture", "-o", "x", "--packets", "1000", "--buffer", "64MiB").Succeeded();
        Assert.Equal(1000, CheckPattern(Read("x"), packetSize).Packets);
    }

    [BusFact]
    public void Another_setting_and_other_sizes_can_be_requested()
    {
        AttachCamera(new IsoSourceOptions { SerialNumber = "CAM1", Paced = false });
        JsonElement summary = Run("capture", "-o", "x", "--vendor", "0x1209", "--product", "10", "--serial", "CAM1", "--port", "1-1", "--interface", "0",
            "--alternate", "2", "--endpoint", "81", "--type", "iso", "--in-flight", "5", "--packets-per-transfer", "7", "--packets", "100", "--json").Succeeded().Json();
        Assert.Equal(100, CheckPattern(Read("x"), 1024).Packets);
        Assert.Equal(2, summary.GetProperty("alternateSetting").GetInt32());
        Assert.Equal(5, summary.GetProperty("transfersInFlight").GetInt32());
        Assert.Equal(7, summary.GetProperty("packetsPerTransfer").GetInt32());
    }

    [BusTheory]
    [InlineData("--bytes", "1000001", 1000001)]
    [InlineData("--bytes", "64KiB", 65536)]
    [InlineData("--bytes", "1", 1)]
    [InlineData("--packets", "77", 77 * PacketSize)]
    public void Limits_are_exact(string option, string value, long bytes)
    {
        AttachCamera();
        Run("capture", "-o", "x", option, value).Succeeded();
        byte[] data = Read("x");
        Assert.Equal(bytes, data.Length);
        CheckPattern([.. data, .. Rest(data.Length)], PacketSize);
    }

    [BusFact]
    public void A_duration_ends_the_capture()
    {
        AttachCamera(new IsoSourceOptions());
        JsonElement summary = Run("capture", "-o", "x", "--duration", "300ms", "--json").Succeeded().Json();
        Assert.Equal("duration", summary.GetProperty("outcome").GetString());
        Assert.InRange(summary.GetProperty("seconds").GetDouble(), 0.2, 30);
        Assert.Equal(new FileInfo(PathOf("x")).Length, summary.GetProperty("bytes").GetInt64());
    }

    [BusFact]
    public void Good_packets_beside_bad_ones_are_kept_and_the_bad_ones_counted()
    {
        IsoSource camera = AttachCamera();
        camera.Source.Hold();
        using UsbcapProcess process = Start("capture", "-o", "x", "--packets", "100", "--format", "framed", "--json", "--strict");
        Assert.True(camera.Source.WaitForPending(1, Patience));
        camera.Source.FaultAt(10, new IsoFault(UrbStatus.Checksum));
        camera.Source.FaultAt(11, new IsoFault(UrbStatus.Overflow, 100));
        camera.Source.FaultAt(50, new IsoFault(UrbStatus.Success)); // empty
        camera.Source.Resume();
        UsbcapResult result = process.Wait().Failed(10, "2 packets lost, 2 errors");

        FramedFile file = FramedFile.Parse(Read("x"));
        Assert.Equal((0x81, 1, PacketSize), (file.Endpoint, file.TransferType, file.UnitSize));
        Assert.Equal(Enumerable.Range(0, 102).Select(number => (long)number), file.Records.Select(record => record.Number));
        Assert.Equal(UsbTransferStatus.Error, file.Records[10].Status);
        Assert.Equal(UsbTransferStatus.Overflow, file.Records[11].Status);
        Assert.Empty(file.Records[50].Data);
        foreach (FramedFile.Record record in file.Records.Where(record => record.Number is not (10 or 11 or 50)))
        {
            Assert.Equal(PacketSize, record.Data.Length);
            Assert.Equal(0, NumberedPattern.CountMismatches(record.Data, (ulong)record.Number));
        }

        JsonElement summary = result.Json();
        Assert.Equal(100, summary.GetProperty("packets").GetInt64());
        Assert.Equal(1, summary.GetProperty("emptyPackets").GetInt64());
        Assert.Equal(2, summary.GetProperty("lost").GetInt64());
        Assert.Equal(1, summary.GetProperty("errors").GetProperty("error").GetInt64());
        Assert.Equal(1, summary.GetProperty("errors").GetProperty("overflow").GetInt64());
    }

    [BusFact]
    public void Raw_output_has_the_good_packets_one_after_the_other()
    {
        IsoSource camera = AttachCamera();
        camera.Source.Hold();
        using UsbcapProcess process = Start("capture", "-o", "x", "--packets", "100");
        Assert.True(camera.Source.WaitForPending(1, Patience));
        camera.Source.FaultAt(10, new IsoFault(UrbStatus.Checksum, 50));
        camera.Source.Resume();
        process.Wait().Succeeded();
        var checker = new NumberedPatternChecker(PacketSize, 0);
        checker.AddStream(Read("x"));
        Assert.Equal((100L, 1L, 0L, 0), (checker.Packets, checker.Lost, checker.MismatchedBytes, checker.TrailingBytes));
    }

    [BusFact]
    public void Intervals_without_a_transfer_are_found_from_the_clocks()
    {
        IsoSource camera = AttachCamera(new IsoSourceOptions());
        using UsbcapProcess process = Start("capture", "-o", "x", "--json", "--in-flight", "16");
        Assert.True(camera.Source.WaitForCompleted(200, Patience));
        camera.Source.Hold();
        // The transfers that are already submitted cover all service intervals of the next 64 ms. The endpoint holds back all later transfers, so the intervals
        // after these 64 ms are missed. No event reports a missed interval. The test therefore waits for a fixed time.
        using (var never = new ManualResetEventSlim())
            never.Wait(TimeSpan.FromMilliseconds(400));
        camera.Source.Resume();
        Assert.True(camera.Source.WaitForCompleted(400, Patience));
        long really = camera.Source.MissedPackets;
        process.Signal("INT");
        JsonElement summary = process.Wait().Succeeded().Json();
        Assert.InRange(really, 1000, long.MaxValue);
        // usbcap computes the number of missed intervals from the clocks of the host and the device. The result may differ from the true number by as many
        // intervals as a few transfers contain. On a busy machine, the difference may be larger. MissedIntervalsTests checks the computation more precisely,
        // with simulated clocks.
        Assert.InRange(summary.GetProperty("missed").GetInt64(), really / 2, really * 2);
        Assert.Equal(summary.GetProperty("missed").GetInt64(), summary.GetProperty("lost").GetInt64());
    }

    [BusTheory]
    [InlineData("--bytes", "1000000", 1000000)]
    [InlineData("--packets", "777", 777 * BulkPacket)]
    public void A_bulk_capture_is_exact(string option, string value, long bytes)
    {
        Bus.Attach(new BulkSourceSink());
        JsonElement summary = Run("capture", "-o", "x", option, value, "--json", "--strict").Succeeded().Json();
        byte[] data = Read("x");
        Assert.Equal(bytes, data.Length);
        CheckPattern(data[..(data.Length / BulkPacket * BulkPacket)], BulkPacket);
        Assert.Equal("bulk", summary.GetProperty("type").GetString());
        Assert.Equal(0, summary.GetProperty("allocatedBytes").GetInt64());
    }

    [BusFact]
    public void A_halted_bulk_endpoint_keeps_the_captured_data()
    {
        var source = new BulkSourceSink();
        Bus.Attach(source);
        VirtualEndpoint endpoint = source.Endpoint(BulkSourceSink.InAddress);
        endpoint.Hold();
        using UsbcapProcess process = Start("capture", "-o", "x");
        Assert.True(endpoint.WaitForPending(2, Patience));
        endpoint.Release();
        endpoint.FailNext(UrbStatus.Stall);
        endpoint.Resume();
        process.Wait().Failed(1, "0x81 (bulk IN) is halted", "65536 bytes", "x.part");
        CheckPattern(Read("x.part"), BulkPacket);
    }

    [BusFact]
    public void A_bulk_endpoint_that_fails_repeatedly_ends_the_capture()
    {
        var source = new BulkSourceSink();
        Bus.Attach(source);
        VirtualEndpoint endpoint = source.Endpoint(BulkSourceSink.InAddress);
        endpoint.Hold();
        using UsbcapProcess process = Start("capture", "-o", "x", "--format", "framed", "--json");
        Assert.True(endpoint.WaitForPending(2, Patience));
        endpoint.Release();
        for (int i = 0; i < 200; i++)
            endpoint.FailNext(UrbStatus.Protocol);
        endpoint.Resume();
        UsbcapResult result = process.Wait().Failed(1, "100 transfers in a row failed, the last with status Error", "x.part");
        FramedFile file = FramedFile.Parse(Read("x.part"));
        Assert.Equal(Enumerable.Range(0, file.Records.Count).Select(number => (long)number), file.Records.Select(record => record.Number));
        Assert.Equal(64 * 1024, file.Records[0].Data.Length);
        Assert.All(file.Records.Skip(1), record => Assert.Equal((UsbTransferStatus.Error, 0), (record.Status, record.Data.Length)));
        Assert.InRange(file.Records.Count - 1, 100, 116); // transfers in flight may fail too
        Assert.Equal(file.Records.Count - 1, result.Json().GetProperty("errors").GetProperty("error").GetInt64());
        Assert.Equal(0, result.Json().GetProperty("lost").GetInt64());
    }

    [BusFact]
    public void An_interrupt_capture_takes_reports_as_they_come()
    {
        const int reportSize = 16;
        var source = new InterruptSource(new InterruptSourceOptions { ReportSize = reportSize });
        Bus.Attach(source);
        using UsbcapProcess process = Start("capture", "-o", "x", "--packets", "50", "--json", "--strict");
        for (int report = 0; report < 50; report++)
        {
            Assert.True(source.Endpoint(InterruptSource.EndpointAddress).WaitForPending(1, Patience));
            source.ReportNext();
        }

        JsonElement summary = process.Wait().Succeeded().Json();
        Assert.Equal(50, CheckPattern(Read("x"), reportSize).Packets);
        Assert.Equal("interrupt", summary.GetProperty("type").GetString());
    }

    /// <summary>Returns the bytes that the last packet of a truncated capture lacks.</summary>
    private static byte[] Rest(int length)
    {
        int missing = (PacketSize - (length % PacketSize)) % PacketSize;
        byte[] packet = new byte[PacketSize];
        NumberedPattern.Fill(packet, (ulong)(length / PacketSize));
        return packet[(PacketSize - missing)..];
    }
}
