using Native.LibUsb.Interop;

namespace Native.LibUsb.Tests.Interop;

/// <summary>Tests C's structure for times: its layout on this system, and conversions at the limits.</summary>
public sealed unsafe class TimevalTests
{
    private const long MaxMicroseconds = 2_147_483_646_000;

    [Fact]
    public void C_and_CSharp_read_the_same_values()
    {
        using var fake = new FakeLibrary(new Version(1, 0, 99), """
            #include <sys/time.h>
            long long seconds(const struct timeval *tv) { return tv->tv_sec; }
            long long microseconds(const struct timeval *tv) { return tv->tv_usec; }
            void fill(struct timeval *tv, long long s, long long us) { tv->tv_sec = s; tv->tv_usec = us; }
            int size(void) { return sizeof(struct timeval); }
            """);
        nint library = System.Runtime.InteropServices.NativeLibrary.Load(fake.Path);
        nint Export(string name) => System.Runtime.InteropServices.NativeLibrary.GetExport(library, name);
        var seconds = (delegate* unmanaged<timeval*, long>)Export("seconds");
        var microseconds = (delegate* unmanaged<timeval*, long>)Export("microseconds");
        var fill = (delegate* unmanaged<timeval*, long, long, void>)Export("fill");

        Assert.True(((delegate* unmanaged<int>)Export("size"))() <= sizeof(timeval), "libusb would write beyond the structure.");
        foreach ((long s, int us) in ((long, int)[])[(0, 0), (0, 1), (0, 999_999), (1, 0), (2_147_483, 646_000), (int.MaxValue, 999_999)])
        {
            var ours = new timeval(s, us);
            Assert.Equal((s, us), (seconds(&ours), microseconds(&ours)));
            timeval theirs = default;
            fill(&theirs, s, us);
            Assert.Equal((s, us), (theirs.tv_sec, theirs.tv_usec));
            Assert.Equal(ours, theirs);
        }
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    [InlineData(9, 1)]
    [InlineData(10, 1)]
    [InlineData(11, 2)]
    [InlineData(9_999_990, 999_999)]
    [InlineData(9_999_991, 1_000_000)]
    [InlineData(10_000_000, 1_000_000)]
    [InlineData(12_345_678_901, 1_234_567_891)]
    public void A_time_span_is_rounded_up_to_microseconds(long ticks, long expectedMicroseconds)
    {
        var time = new timeval(new TimeSpan(ticks));
        Assert.Equal(expectedMicroseconds, (time.tv_sec * 1_000_000) + time.tv_usec);
        Assert.InRange(time.tv_usec, 0, 999_999);
        Assert.Equal(TimeSpan.FromMicroseconds(expectedMicroseconds), time.ToTimeSpan());
    }

    // libusb converts the time to milliseconds: it rounds the microseconds up to whole milliseconds, and adds them to (int)(seconds * 1000). The sum is an
    // int, which would overflow for a long time. timeval therefore limits the time.
    [Fact]
    public void Long_times_are_limited_to_the_milliseconds_that_libusb_can_count()
    {
        TimeSpan[] tooLong = [TimeSpan.FromMicroseconds(MaxMicroseconds), TimeSpan.FromMicroseconds(MaxMicroseconds + 1), TimeSpan.FromDays(25), TimeSpan.MaxValue, Timeout.InfiniteTimeSpan];
        Assert.All(tooLong, time => Assert.Equal(timeval.MaxValue, new timeval(time)));
        Assert.Equal(MaxMicroseconds, (timeval.MaxValue.tv_sec * 1_000_000) + timeval.MaxValue.tv_usec);
        long milliseconds = (timeval.MaxValue.tv_sec * 1000) + ((timeval.MaxValue.tv_usec + 999) / 1000);
        Assert.InRange(milliseconds, int.MaxValue - 1, int.MaxValue);
        Assert.NotEqual(timeval.MaxValue, new timeval(TimeSpan.FromMicroseconds(MaxMicroseconds - 1)));
    }

    [Fact]
    public void Negative_times_are_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new timeval(TimeSpan.FromTicks(-1)));

    [Fact]
    public void Times_compare_by_value_and_print_as_seconds()
    {
        Assert.True(new timeval(1, 2) == new timeval(1, 2));
        Assert.True(new timeval(1, 2) != new timeval(1, 3));
        Assert.Equal(new timeval(1, 2).GetHashCode(), new timeval(1, 2).GetHashCode());
        Assert.Equal("1.000250 s", new timeval(1, 250).ToString());
    }

    // libusb refuses microseconds that are out of range. A refusal therefore shows that libusb has read this field.
    [Fact]
    public void Libusb_reads_the_microseconds()
    {
        libusb_context* context;
        Assert.Equal(0, libusb.libusb_init(&context));
        try
        {
            var malformed = new timeval(0, 1_000_000);
            Assert.Equal((int)libusb_error.LIBUSB_ERROR_INVALID_PARAM, libusb.libusb_handle_events_timeout(context, &malformed));
            var none = new timeval(TimeSpan.Zero);
            Assert.Equal(0, libusb.libusb_handle_events_timeout(context, &none));
        }
        finally
        {
            libusb.libusb_exit(context);
        }
    }
}
