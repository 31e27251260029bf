using Native.LibUsb.Streaming;

namespace Native.LibUsb.Tests.Streaming;

/// <summary>Tests which bytes of a transfer that is written are still to be sent.</summary>
public sealed class OutputContentTests
{
    private readonly OutputContent _content = new();

    [Fact]
    public void Bytes_that_the_device_has_not_taken_are_unsent()
    {
        _content.Set(512, endsMessage: false);
        Assert.Equal((512, false), (_content.Unsent, _content.IsSent));
        _content.Sent += 200;
        Assert.Equal((312, false), (_content.Unsent, _content.IsSent));
        _content.Sent += 312;
        Assert.Equal((0, true), (_content.Unsent, _content.IsSent));
        _content.Set(10, endsMessage: false);
        Assert.Equal((10, false), (_content.Unsent, _content.IsSent)); // the bytes of the content before it do not count
    }

    [Theory]
    [InlineData(512, true)]
    [InlineData(0, true)]
    [InlineData(0, false)]
    public void A_transfer_that_did_not_complete_still_owes_its_zero_length_packet(int length, bool endsMessage)
    {
        _content.Set(length, endsMessage);
        _content.Sent = length;
        Assert.Equal((0, false), (_content.Unsent, _content.IsSent));
    }

    [Fact]
    public void Zeros_of_the_ring_are_never_unsent()
    {
        _content.SetFiller(4096);
        Assert.Equal((true, 4096, 0), (_content.IsFiller, _content.Committed, _content.Unsent));
        _content.Set(1, endsMessage: false);
        Assert.Equal((false, 1), (_content.IsFiller, _content.Unsent));
    }

    [Fact]
    public void Lengths_of_packets_are_copied_and_end_with_the_next_content()
    {
        int[] lengths = [176, 0, 180];
        _content.Reserve(4);
        _content.SetPackets(lengths, 356);
        lengths[0] = 1;
        Assert.Equal("176 0 180", string.Join(' ', _content.PacketLengths.ToArray()));
        Assert.Equal(356, _content.Committed);
        _content.Set(356, endsMessage: false);
        Assert.True(_content.PacketLengths.IsEmpty);
        Assert.Equal(0, AllocationMeter.Measure(() => _content.SetPackets(lengths, 181)));
    }
}
