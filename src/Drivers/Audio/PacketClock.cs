using System.Buffers.Binary;

namespace Drivers.Audio;

/// <summary>
/// Calculates the number of frames in each packet. The clock uses the rate in the device's last report. Before the first report, it uses the sample rate.
/// </summary>
/// <param name="sampleRate">The number of frames per second.</param>
/// <param name="interval">The duration of a packet.</param>
/// <param name="most">The maximum number of frames in a packet.</param>
internal sealed class PacketClock(int sampleRate, TimeSpan interval, int most)
{
    private const int Fraction = 16; // number of fractional bits
    private const int FullSpeedSize = 3, FullSpeedShift = 2, HighSpeedSize = 4; // a report at full speed has 14 fractional bits

    private readonly long _nominal = (long)(sampleRate * interval.TotalSeconds * (1 << Fraction));
    private long _rate; // the last reported rate; 0 before the first report
    private long _owed; // the fraction of a frame that has not been sent yet

    /// <summary>Gets the number of reports that were used.</summary>
    public long Reports { get; private set; }

    /// <summary>Gets the number of reports that were ignored because their rate is implausible.</summary>
    public long RefusedReports { get; private set; }

    /// <summary>Processes a report from the device. A thread may call this method while another thread uses the other members.</summary>
    public void Report(ReadOnlySpan<byte> report)
    {
        long rate = report.Length switch
        {
            FullSpeedSize => (BinaryPrimitives.ReadUInt16LittleEndian(report) | ((long)report[2] << 16)) << FullSpeedShift,
            HighSpeedSize => BinaryPrimitives.ReadUInt32LittleEndian(report),
            _ => 0,
        };
        if (Math.Abs(rate - _nominal) > 1 << Fraction)
        {
            RefusedReports++; // no clock deviates that much, and the device's buffer would overflow or run empty
            return;
        }

        Reports++;
        Volatile.Write(ref _rate, rate);
    }

    /// <summary>Returns the number of frames in the next packet.</summary>
    public int Next()
    {
        long rate = Volatile.Read(ref _rate);
        _owed += rate > 0 ? rate : _nominal;
        int frames = (int)Math.Min(_owed >> Fraction, most);
        _owed = Math.Min(_owed - ((long)frames << Fraction), 1 << Fraction); // frames that do not fit into the packet are dropped
        return frames;
    }
}
