using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Bus;

public sealed class NumberedPatternTests
{
    [Theory]
    [InlineData(9)]
    [InlineData(64)]
    [InlineData(1023)]
    public void Any_single_changed_byte_is_found(int size)
    {
        byte[] packet = new byte[size];
        for (int changed = 0; changed < size; changed++)
            foreach (byte change in (byte[])[1, 0x80, 0xff])
            {
                NumberedPatternChecker checker = new(0);
                for (ulong number = 0; number < 3; number++)
                {
                    NumberedPattern.Fill(packet, number);
                    if (number == 1)
                        packet[changed] ^= change;
                    checker.AddPacket(packet);
                }
                Assert.False(checker.IsPerfect);
                // In a packet of 9 bytes, a changed number can look like the number of another packet. The checker then reports a loss.
                if (size > 9)
                    Assert.Equal((1, 0, 0), (checker.MismatchedBytes, checker.Lost, checker.OutOfOrder));
            }
    }

    [Theory]
    [InlineData(3072, 1)]
    [InlineData(3072, 3072)]
    [InlineData(3072, 4096)]
    [InlineData(9, 100)]
    public void A_stream_can_be_checked_in_pieces_of_any_size(int packetSize, int piece)
    {
        byte[] stream = Stream(packetSize, [.. Enumerable.Range(0, 50).Select(i => (ulong)i)]);
        NumberedPatternChecker checker = new(packetSize, 0);
        for (int i = 0; i < stream.Length; i += piece)
            checker.AddStream(stream.AsSpan(i, Math.Min(piece, stream.Length - i)));
        Assert.True(checker.IsPerfect, checker.ToString());
        Assert.Equal((50, 50L * packetSize), (checker.Packets, checker.Bytes));
        checker.AddStream([1]);
        Assert.False(checker.IsPerfect);
    }

    [Fact]
    public void Missing_repeated_and_late_packets_are_counted_separately()
    {
        Assert.Equal((2, 0, 0), Count(0, 1, 4, 5));
        Assert.Equal((0, 1, 0), Count(0, 1, 1, 2));
        Assert.Equal((0, 0, 1), Count(0, 2, 1, 3));
        Assert.Equal((1, 0, 1), Count(0, 3, 1, 4));
        Assert.Equal((0, 2, 0), Count(0, 1, 2, 0, 1, 3));
        Assert.Equal((5, 0, 0), Count(5, 6)); // packets before the first one count as missing too

        static (long, long, long) Count(params ulong[] numbers)
        {
            NumberedPatternChecker checker = new(64, 0);
            checker.AddStream(Stream(64, numbers));
            Assert.Equal(0, checker.MismatchedBytes);
            return (checker.Lost, checker.Duplicates, checker.OutOfOrder);
        }
    }

    [Fact]
    public void The_pattern_is_the_documented_one()
    {
        byte[] packet = new byte[8 + 160 + 3];
        NumberedPattern.Fill(packet, 0x0102030405060708);
        Assert.Equal(new byte[] { 8, 7, 6, 5, 4, 3, 2, 1 }, packet[..8]);
        for (int i = 8; i < packet.Length; i++)
        {
            ulong word = unchecked((0x0102030405060708 * 0x9E3779B97F4A7C15) + ((ulong)((i - 8) / 8) * 0xD1B54A32D192ED03));
            Assert.Equal((byte)(word >> (8 * (i % 8))), packet[i]);
        }
        Assert.Equal(0x0102030405060708UL, NumberedPattern.ReadNumber(packet));
    }

    [Fact]
    public void Filling_and_checking_allocate_nothing()
    {
        byte[] packet = new byte[3072];
        NumberedPatternChecker checker = new(0);
        ulong number = 0;
        long allocated = AllocationMeter.Measure(() =>
        {
            for (int round = 0; round < 100; round++)
            {
                NumberedPattern.Fill(packet, number++);
                checker.AddPacket(packet);
            }
        });
        Assert.Equal(0, allocated);
        Assert.True(checker.IsPerfect);
    }

    private static byte[] Stream(int packetSize, ulong[] numbers)
    {
        byte[] stream = new byte[packetSize * numbers.Length];
        for (int i = 0; i < numbers.Length; i++)
            NumberedPattern.Fill(stream.AsSpan(i * packetSize, packetSize), numbers[i]);
        return stream;
    }
}
