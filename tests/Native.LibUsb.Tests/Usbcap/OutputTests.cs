using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Usbcap;

/// <summary>
/// Tests the output of captures, including captures that fail. An incomplete file must not look complete, and usbcap must not discard captured data.
/// </summary>
public sealed class OutputTests : UsbcapTest
{
    private const int PacketSize = 3072;

    [BusTheory]
    [InlineData("x")]
    [InlineData("x.part")]
    public void An_existing_file_is_not_touched_without_force(string existing)
    {
        AttachCamera();
        File.WriteAllText(PathOf(existing), "precious");
        Run("capture", "-o", "x", "--packets", "64").Failed(8, existing, "--force");
        Assert.Equal("precious", File.ReadAllText(PathOf(existing)));

        Run("capture", "-o", "x", "--packets", "64", "--force").Succeeded();
        Assert.Equal(64, CheckPattern(Read("x"), PacketSize).Packets);
        Assert.Equal(["x"], Directory.GetFiles(Folder).Select(Path.GetFileName));
    }

    [BusFact]
    public void A_folder_that_does_not_exist()
    {
        AttachCamera();
        Run("capture", "-o", "nowhere/x").Failed(8, "nowhere/x");
    }

    [BusFact]
    public void A_full_device()
    {
        AttachCamera();
        Run("capture", "-o", "/dev/full").Failed(8, "/dev/full", "No space left on device");
    }

    [BusFact]
    public void A_full_disk_keeps_the_captured_data()
    {
        AttachCamera();
        // The file size limit makes a write in the middle of the data fail, as on a full disk.
        const int limitKiB = 700;
        RunShell($"ulimit -f {limitKiB}; exec \"$0\" capture -o x").Failed(8, "cannot write x: File too large", "x.part", $"{limitKiB * 1024} bytes");
        Assert.Equal([PathOf("x.part")], Directory.GetFiles(Folder));
        byte[] kept = Read("x.part");
        Assert.Equal(limitKiB * 1024, kept.Length);
        CheckPattern(kept[..(kept.Length / PacketSize * PacketSize)], PacketSize);
    }

    [BusFact]
    public void Unplugging_the_device_keeps_the_captured_data()
    {
        AttachCamera(new IsoSourceOptions { Paced = false, UnplugAfterPackets = 1000 });
        UsbcapResult result = Run("capture", "-o", "x", "--json").Failed(9, "the device is gone", "x.part");
        Assert.Equal([PathOf("x.part")], Directory.GetFiles(Folder));
        NumberedPatternChecker checker = CheckPattern(Read("x.part"), PacketSize);
        Assert.True(checker.Packets >= 1000, checker.ToString());
        Assert.Equal("failed", result.Json().GetProperty("outcome").GetString());
        Assert.Equal(checker.Bytes, result.Json().GetProperty("fileBytes").GetInt64());
    }

    [BusFact]
    public void Standard_output_gets_the_data_and_standard_error_the_summary()
    {
        AttachCamera();
        UsbcapResult result = Run("capture", "-o", "-", "--packets", "500", "--json");
        Assert.Equal(0, result.ExitCode);
        Assert.Equal(500, CheckPattern(result.Output, PacketSize).Packets);
        Assert.Equal(500, UsbcapResult.Parse(result.Error).GetProperty("packets").GetInt64());
        Assert.Empty(Directory.GetFiles(Folder));
    }

    [BusFact]
    public void A_closed_pipe_ends_the_capture()
    {
        AttachCamera();
        UsbcapResult result = RunShell("\"$0\" capture -o - 2>error | head -c 100000 | wc -c; exit ${PIPESTATUS[0]}");
        Assert.Equal("100000", result.OutputText.Trim());
        Assert.Equal(8, result.ExitCode);
        Assert.Contains("usbcap: cannot write standard output: Broken pipe", File.ReadAllText(PathOf("error")));
    }

    [BusTheory]
    [InlineData("INT")]
    [InlineData("TERM")]
    public void A_signal_ends_the_capture_with_a_complete_file(string signal)
    {
        IsoSource camera = AttachCamera(new IsoSourceOptions());
        using UsbcapProcess process = Start("capture", "-o", "x", "--json", "--format", "framed");
        Assert.True(camera.Source.WaitForCompleted(20, Patience));
        process.Signal(signal);
        UsbcapResult result = process.Wait().Succeeded();
        Assert.Equal("interrupted", result.Json().GetProperty("outcome").GetString());
        Assert.Equal([PathOf("x")], Directory.GetFiles(Folder));
        FramedFile file = FramedFile.Parse(Read("x")); // complete to the last byte
        Assert.Equal(result.Json().GetProperty("packets").GetInt64(), file.Records.Count);
        Assert.True(file.Records.Count >= 20 * 32);
        Assert.All(file.Records, record => Assert.Equal(0, NumberedPattern.CountMismatches(record.Data, NumberedPattern.ReadNumber(record.Data))));
    }

    [BusFact]
    public void An_output_that_is_too_slow_loses_packets_and_reports_which()
    {
        IsoSource camera = AttachCamera(new IsoSourceOptions());
        var goOn = new TaskCompletionSource();
        using UsbcapProcess process = UsbcapProcess.Start(
            Bus, Folder, ["capture", "-o", "-", "--format", "framed", "--buffer", "1MiB", "--json", "--strict"], readAfter: goOn.Task);
        // The buffer of 1 MiB and a full pipe hold the data of 0.05 s.
        Assert.True(camera.Source.WaitForCompleted(100, Patience));
        goOn.SetResult();
        Assert.True(camera.Source.WaitForCompleted(150, Patience));
        process.Signal("INT");
        UsbcapResult result = process.Wait();
        Assert.Equal(10, result.ExitCode);
        int json = result.Error.IndexOf("\n}", StringComparison.Ordinal) + 2;
        var summary = UsbcapResult.Parse(result.Error[..json]);
        Assert.StartsWith("usbcap: ", result.Error[json..].TrimStart());

        FramedFile file = FramedFile.Parse(result.Output);
        long dropped = summary.GetProperty("dropped").GetInt64();
        Assert.True(dropped > 0);
        Assert.Equal(file.Records.Count, summary.GetProperty("packets").GetInt64());
        long missing = file.Records[^1].Number + 1 - file.Records.Count; // packets that were dropped after the last record leave no gap
        Assert.InRange(missing, 1, dropped);
        long missed = summary.GetProperty("missed").GetInt64();
        Assert.Equal(dropped + missed, summary.GetProperty("lost").GetInt64());
        Assert.Equal((file.Records.Count + dropped + missed) / 8000.0, summary.GetProperty("deviceSeconds").GetDouble(), 5);
    }

    [BusFact]
    public void A_second_signal_ends_the_program_even_when_its_output_is_not_read()
    {
        IsoSource camera = AttachCamera(new IsoSourceOptions());
        var never = new TaskCompletionSource();
        using UsbcapProcess process = UsbcapProcess.Start(Bus, Folder, ["capture", "-o", "-", "--quiet"], readAfter: never.Task);
        Assert.True(camera.Source.WaitForCompleted(100, Patience)); // more data than the pipe holds
        process.Signal("INT");
        Assert.True(SpinWait.SpinUntil(() => camera.Source.Unlinked > 0, Patience)); // usbcap has handled the first signal
        Assert.False(process.HasEnded);
        process.Signal("INT");
        process.WaitForSignalDeath(2);
        never.SetResult();
    }

    [BusFact]
    public void A_bulk_endpoint_waits_for_an_output_that_is_slow()
    {
        var source = new BulkSourceSink();
        Bus.Attach(source);
        var goOn = new TaskCompletionSource();
        using UsbcapProcess process = UsbcapProcess.Start(
            Bus, Folder, ["capture", "-o", "-", "--bytes", "8MiB", "--buffer", "1MiB", "--strict", "--quiet"], readAfter: goOn.Task);
        // usbcap submits no further transfer when the buffer of 1 MiB, the pipe of 64 KiB and all 16 transfers of 64 KiB are full.
        Assert.True(source.Endpoint(BulkSourceSink.InAddress).WaitForCompleted(32, Patience));
        goOn.SetResult();
        UsbcapResult result = process.Wait();
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(8 << 20, CheckPattern(result.Output, BulkPacket).Bytes);
    }
}
