using Examples;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Examples;

/// <summary>Tests, in this process, the example that uses isochronous transfers.</summary>
public sealed class IsoExampleTests : BusTest
{
    private readonly IsoSource _device = new(new IsoSourceOptions { Paced = false });
    private readonly Transcript _said = new();

    public IsoExampleTests() => Bus.Attach(_device);

    [BusTheory]
    [InlineData(8)]
    [InlineData(1)]
    public void Every_packet_is_reported(int transfers)
    {
        Run(transfers);
        Assert.Equal(
            [
                "Started isochronous streaming: packets of 512 bytes",
                .. Enumerable.Range(1, transfers * 10).Select(i => $"Packet {i}: 512 bytes"),
                $"Streaming complete: {transfers * 10} packets, 0 errors, {transfers * 10 * 512} bytes",
            ],
            _said.Lines);
    }

    [BusFact]
    public void A_bad_packet_does_not_hide_other_packets()
    {
        _device.Source.FaultAt(12, new IsoFault(UrbStatus.Protocol));
        _device.Source.FaultAt(13, new IsoFault(UrbStatus.Success, 100));
        Run(5);
        Assert.Equal(["Packet 12: 512 bytes", "Packet 13: Error", "Packet 14: 100 bytes", "Packet 15: 512 bytes"], _said.Lines.Skip(12).Take(4));
        Assert.Equal($"Streaming complete: 50 packets, 1 errors, {(48 * 512) + 100} bytes", _said.Lines[^1]);
    }

    private void Run(int transfers) => IsoStreaming.Run(_device.Options.VendorId, _device.Options.ProductId, transfers, _said);
}
