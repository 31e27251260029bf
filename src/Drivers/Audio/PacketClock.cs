using System.Buffers.Binary;

namespace Drivers.Audio;

/// <summary>Decides how many frames of sound each packet has: as many as the device reports, or as many as the sample rate demands.</summary>
/// <param name="sampleRate">Frames in a second.</param>
/// <param name="interval">The time of a packet.</param>
/// <param name="most">The frames that a packet has room for.</param>
internal sealed class PacketClock(int sampleRate, TimeSpan interval, int most)
{
    private const int Fraction = 16; // bits after the point
    private const int FullSpeedSize = 3, FullSpeedShift = 2, HighSpeedSize = 4; // a report at full speed has 14 bits after the point

    private readonly long _nominal = (long)(sampleRate * interval.TotalSeconds * (1 << Fraction));
    private long _rate; // of the last report; 0 before the first
    private long _owed; // the part of a frame that is due

    /// <summary>Gets the number of reports that were used.</summary>
    public long Reports { get; private set; }

    /// <summary>Gets the number of reports that cannot be right.</summary>
    public long RefusedReports { get; private set; }

    /// <summary>Takes a report of the device. May be called by another thread than the other members.</summary>
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
            RefusedReports++; // no clock is that wrong, and the device would be flooded or starved
            return;
        }

        Reports++;
        Volatile.Write(ref _rate, rate);
    }

    /// <summary>Gets the number of frames of the next packet.</summary>
    public int Next()
    {
        long rate = Volatile.Read(ref _rate);
        _owed += rate > 0 ? rate : _nominal;
        int frames = (int)Math.Min(_owed >> Fraction, most);
        _owed = Math.Min(_owed - ((long)frames << Fraction), 1 << Fraction); // frames that do not fit are not sent later
        return frames;
    }
}
