using Drivers.Audio;

namespace Drivers.Tests.Audio;

/// <summary>Tests the number of frames in each packet.</summary>
public sealed class PacketClockTests
{
    private static readonly TimeSpan s_frame = TimeSpan.FromMilliseconds(1);

    [Theory]
    [InlineData(48_000, 48_000)]
    [InlineData(44_100, 44_100)]
    public void Without_reports_the_packets_of_a_second_have_the_sample_rate(int rate, int expected)
    {
        var clock = new PacketClock(rate, s_frame, 48);
        int[] packets = [.. Enumerable.Range(0, 1000).Select(_ => clock.Next())];
        Assert.InRange(packets.Sum(), expected - 1, expected);
        Assert.InRange(packets.Max() - packets.Min(), 0, 1);
    }

    [Fact]
    public void Reports_of_both_speeds_are_followed()
    {
        var full = new PacketClock(44_100, s_frame, 48);
        full.Report([0x00, 0x20, 0x0b]); // 44.5 frames with 14 bits after the point
        Assert.Equal(89, full.Next() + full.Next());
        var high = new PacketClock(48_000, TimeSpan.FromMicroseconds(125), 8);
        high.Report([0x00, 0x80, 0x06, 0x00]); // 6.5 frames with 16 bits
        Assert.Equal(13, high.Next() + high.Next());
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 1 })]
    [InlineData(new byte[] { 0, 0, 0 })]
    [InlineData(new byte[] { 0xff, 0xff, 0xff })]
    [InlineData(new byte[] { 0xff, 0xff, 0xff, 0xff })]
    public void A_report_that_cannot_be_right_is_ignored(byte[] report)
    {
        var clock = new PacketClock(48_000, s_frame, 60);
        clock.Report(report);
        Assert.Equal((0, 1), (clock.Reports, clock.RefusedReports));
        Assert.Equal(48, clock.Next());
    }
}
