using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>Tests the command-line program usbcap with a virtual device that is attached to the kernel's vhci_hcd.</summary>
public sealed class VirtualCaptureTests : IDisposable
{
    private readonly Watchdog _watchdog = new(400, "a capture from vhci_hcd");
    private readonly VirtualBus _bus;

    public VirtualCaptureTests() => _bus = TestBus.CreateFor(this);

    public void Dispose()
    {
        TestBus.Disposed(this);
        _bus.Dispose();
        _watchdog.Dispose();
    }

    // The emulated machine cannot receive data as fast as a high-speed device can send it. The source is therefore not paced: it sends a packet only when the
    // host requests one. The buffer of usbcap has room for all packets. With a smaller buffer, usbcap could drop packets while the machine writes the file, and
    // the test would fail.
    [ProgramFact(ProgramFactAttribute.Usbcap)]
    public void Isochronous_packets_of_high_speed_are_captured_without_a_gap() => Capture(VirtualSpeed.High, paced: false, packetSize: 3072, packets: 8000);

    [ProgramFact(ProgramFactAttribute.Usbcap)]
    public void Isochronous_packets_of_SuperSpeed_are_captured_without_a_gap() => Capture(VirtualSpeed.Super, paced: false, packetSize: 49152, packets: 800);

    [ProgramFact(ProgramFactAttribute.Usbcap)]
    public void A_paced_stream_has_no_wrong_byte_and_no_repeated_packet() => Capture(VirtualSpeed.Full, paced: true, packetSize: 1023, packets: 2000);

    private void Capture(VirtualSpeed speed, bool paced, int packetSize, int packets)
    {
        string file = $"/tmp/usbcap-{speed}.raw";
        _bus.Attach(new IsoSource(new IsoSourceOptions { Speed = speed, Paced = paced, SerialNumber = "CAPTURED" }));
        try
        {
            string summary = Usbcap.Run("capture", "--serial", "CAPTURED", "--packets", $"{packets}", "--buffer", $"{(long)packets * packetSize}", "--output", file, "--force", "--quiet", "--json");
            byte[] captured = File.ReadAllBytes(file);
            Assert.Equal(packets * packetSize, captured.Length);
            var checker = new NumberedPatternChecker(0);
            for (int packet = 0; packet < packets; packet++)
                checker.AddPacket(captured.AsSpan(packet * packetSize, packetSize));
            if (paced) // an emulated machine on a busy host may pause, so missed packets are not an error here
                Assert.Equal((0L, 0L, 0L), (checker.MismatchedBytes, checker.Duplicates, checker.OutOfOrder));
            else
                Assert.True(checker.IsPerfect, $"{checker}; {summary}");
        }
        finally
        {
            File.Delete(file);
        }
    }
}
