using System.Globalization;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Interop;

/// <summary>Represents C's <c>struct timeval</c>: a duration in seconds and microseconds, in the layout that libusb uses on this system.</summary>
/// <remarks>
/// <para>The layouts are:</para>
/// <list type="bullet">
/// <item>64-bit Linux, Android and FreeBSD: two 64-bit numbers, 16 bytes.</item>
/// <item>macOS and iOS: a 64-bit number, a 32-bit number and 4 bytes of padding. The C# structure has the layout of 64-bit Linux here too: its 64-bit
/// microseconds occupy the place of the 32-bit number and the padding.</item>
/// <item>Windows, all processors: two 32-bit numbers, 8 bytes.</item>
/// <item>32-bit Linux: two 64-bit numbers with musl, otherwise two 32-bit numbers.</item>
/// </list>
/// <para>One case cannot be detected at run time: on 32-bit Linux with glibc, libusb may have been built with 64-bit time. With such a libusb, do not call
/// functions that have a parameter of this type. To handle events, use <see cref="libusb.libusb_handle_events_completed"/> and
/// <see cref="libusb.libusb_interrupt_event_handler"/>. The library's event threads use only these two functions.</para>
/// <para>The structure has the size of the largest layout, so libusb may write any of the layouts through a pointer to the structure. Do not pass arrays of
/// this structure to libusb, because the elements of a C array may be smaller.</para>
/// </remarks>
[StructLayout(LayoutKind.Explicit, Size = 16)]
public struct timeval : IEquatable<timeval>
{
    // libusb converts a timeout to milliseconds, rounds the number up, and stores it in an int. A timeout of more than 24.8 days would become negative.
    private const long MaxMicroseconds = (int.MaxValue - 1) * 1000L;
    private const long MicrosecondsPerSecond = 1_000_000;

    [FieldOffset(0)] private int _seconds32;
    [FieldOffset(4)] private int _microseconds32;
    [FieldOffset(0)] private long _seconds64;
    [FieldOffset(8)] private long _microseconds64;

    /// <summary>Initializes a time from seconds and microseconds.</summary>
    /// <param name="tv_sec">The whole seconds.</param>
    /// <param name="tv_usec">The microseconds, 0 to 999,999. This constructor does not check this range, but libusb refuses values outside the range.</param>
    /// <exception cref="OverflowException"><paramref name="tv_sec"/> does not fit into the 32-bit field of this system.</exception>
    public timeval(long tv_sec, int tv_usec)
    {
        this.tv_sec = tv_sec;
        this.tv_usec = tv_usec;
    }

    /// <summary>Initializes a time from a <see cref="TimeSpan"/>.</summary>
    /// <param name="time">The time. A fraction of a microsecond is rounded up, so that a short wait does not become zero.
    /// <see cref="Timeout.InfiniteTimeSpan"/> and values above <see cref="MaxValue"/> become <see cref="MaxValue"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="time"/> is negative.</exception>
    public timeval(TimeSpan time)
    {
        long microseconds;
        if (time == Timeout.InfiniteTimeSpan)
        {
            microseconds = MaxMicroseconds;
        }
        else
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(time, TimeSpan.Zero);
            (long whole, long rest) = Math.DivRem(time.Ticks, TimeSpan.TicksPerMicrosecond);
            microseconds = Math.Min(rest == 0 ? whole : whole + 1, MaxMicroseconds);
        }
        tv_sec = microseconds / MicrosecondsPerSecond;
        tv_usec = (int)(microseconds % MicrosecondsPerSecond);
    }

    /// <summary>Gets the longest time that libusb can wait: a little under 24.8 days.</summary>
    public static timeval MaxValue => new(MaxMicroseconds / MicrosecondsPerSecond, (int)(MaxMicroseconds % MicrosecondsPerSecond));

    /// <summary>Gets or sets the whole seconds.</summary>
    /// <exception cref="OverflowException">The value does not fit into the 32-bit field of this system.</exception>
    public long tv_sec
    {
        readonly get => HasNarrowFields ? _seconds32 : _seconds64;
        set
        {
            if (HasNarrowFields)
                _seconds32 = checked((int)value);
            else
                _seconds64 = value;
        }
    }

    /// <summary>Gets or sets the microseconds beyond the whole seconds, 0 to 999,999.</summary>
    public int tv_usec
    {
        // The cast keeps only the low half of the 64-bit field. On macOS, this half is C's tv_usec, and the high half is padding. On other systems, every valid
        // tv_usec fits into the low half.
        readonly get => HasNarrowFields ? _microseconds32 : (int)_microseconds64;
        set
        {
            if (HasNarrowFields)
                _microseconds32 = value;
            else
                _microseconds64 = value;
        }
    }

    /// <summary>Gets the size of the C structure on this system, in bytes.</summary>
    internal static int NativeSize => HasNarrowFields ? 8 : 16;

    private static bool HasNarrowFields { get; } =
        OperatingSystem.IsWindows()
        || (nint.Size == 4 && !RuntimeInformation.RuntimeIdentifier.StartsWith("linux-musl", StringComparison.Ordinal));

    /// <summary>Converts the time to a <see cref="TimeSpan"/>.</summary>
    /// <exception cref="OverflowException">The time is too long for a <see cref="TimeSpan"/>.</exception>
    public readonly TimeSpan ToTimeSpan() =>
        new(checked((tv_sec * TimeSpan.TicksPerSecond) + (tv_usec * TimeSpan.TicksPerMicrosecond)));

    /// <inheritdoc/>
    public readonly bool Equals(timeval other) => tv_sec == other.tv_sec && tv_usec == other.tv_usec;

    /// <inheritdoc/>
    public override readonly bool Equals(object? obj) => obj is timeval other && Equals(other);

    /// <inheritdoc/>
    public override readonly int GetHashCode() => HashCode.Combine(tv_sec, tv_usec);

    /// <summary>Returns whether two times are equal.</summary>
    public static bool operator ==(timeval left, timeval right) => left.Equals(right);

    /// <summary>Returns whether two times differ.</summary>
    public static bool operator !=(timeval left, timeval right) => !left.Equals(right);

    /// <summary>Returns the time in seconds, such as <c>1.000250 s</c>.</summary>
    public override readonly string ToString() => string.Create(CultureInfo.InvariantCulture, $"{tv_sec}.{tv_usec:D6} s");
}
