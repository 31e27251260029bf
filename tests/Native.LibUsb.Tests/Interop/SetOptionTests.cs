using System.Runtime.InteropServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb.Tests.Interop;

/// <summary>Tests that the only function with variable arguments passes its value to libusb.</summary>
public sealed unsafe class SetOptionTests : IDisposable
{
    // The log callback has no user pointer, so its counter is static. xunit runs the tests of a class one after another.
    private static int s_lines;
    private libusb_context* _context;

    public SetOptionTests()
    {
        Assert.True(Environment.GetEnvironmentVariable("LIBUSB_DEBUG") is null, "LIBUSB_DEBUG is set: libusb then ignores its log level option.");
        libusb_context* context;
        Assert.Equal(0, libusb.libusb_init(&context));
        _context = context;
        libusb.libusb_set_log_cb(context, &CountLine, (int)libusb_log_cb_mode.LIBUSB_LOG_CB_CONTEXT);
        s_lines = 0;
    }

    public void Dispose()
    {
        libusb.libusb_set_option(_context, libusb_option.LIBUSB_OPTION_LOG_LEVEL, (int)libusb_log_level.LIBUSB_LOG_LEVEL_NONE);
        libusb.libusb_set_log_cb(_context, null, (int)libusb_log_cb_mode.LIBUSB_LOG_CB_CONTEXT);
        libusb.libusb_exit(_context);
        _context = null;
    }

    [Fact]
    public void The_log_level_is_set_and_reset()
    {
        Assert.Equal(0, Set(libusb_log_level.LIBUSB_LOG_LEVEL_NONE));
        Assert.Equal(0, LinesOfOneCall());
        Assert.Equal(0, Set(libusb_log_level.LIBUSB_LOG_LEVEL_DEBUG));
        Assert.True(LinesOfOneCall() > 0, "Nothing was logged at debug level: the value did not arrive.");
        Assert.Equal(0, Set(libusb_log_level.LIBUSB_LOG_LEVEL_NONE));
        Assert.Equal(0, LinesOfOneCall());
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(4, 0)]
    [InlineData(5, -2)]
    [InlineData(-1, -2)]
    [InlineData(int.MaxValue, -2)]
    [InlineData(int.MinValue, -2)]
    public void Every_value_arrives_unchanged(int level, int expected)
    {
        int actual = libusb.libusb_set_option(_context, libusb_option.LIBUSB_OPTION_LOG_LEVEL, level);
        libusb.libusb_set_option(_context, libusb_option.LIBUSB_OPTION_LOG_LEVEL, 0);
        Assert.Equal(expected, actual);
    }

    [Fact]
    public void A_value_that_is_no_int_does_not_become_one()
    {
        // The lower half of this value is a valid level. A 32-bit address has only the lower half.
        Assert.Equal(
            nint.Size == 4 ? 0 : (int)libusb_error.LIBUSB_ERROR_INVALID_PARAM,
            libusb.libusb_set_option(_context, libusb_option.LIBUSB_OPTION_LOG_LEVEL, unchecked((nint)0x1_0000_0001)));
    }

    [Theory]
    [InlineData(libusb_option.LIBUSB_OPTION_LOG_LEVEL)]
    [InlineData(libusb_option.LIBUSB_OPTION_LOG_CB)]
    public void An_option_that_takes_a_value_is_refused_without_one(libusb_option option) =>
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_INVALID_PARAM, libusb.libusb_set_option(_context, option));

    [Fact]
    public void An_unknown_option_is_refused() =>
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_INVALID_PARAM, libusb.libusb_set_option(_context, (libusb_option)1000));

    [Fact]
    public void An_option_of_Windows_is_not_supported_elsewhere()
    {
        Assert.True(OperatingSystem.IsLinux(), "This test knows the answer of Linux only.");
        Assert.Equal((int)libusb_error.LIBUSB_ERROR_NOT_SUPPORTED, libusb.libusb_set_option(_context, libusb_option.LIBUSB_OPTION_USE_USBDK));
    }

    [Fact]
    public void The_log_callback_is_an_option_since_1_0_27()
    {
        libusb.libusb_set_log_cb(_context, null, (int)libusb_log_cb_mode.LIBUSB_LOG_CB_CONTEXT);
        int result = libusb.libusb_set_option(_context, libusb_option.LIBUSB_OPTION_LOG_CB, &CountLine);
        Assert.Equal(0, Set(libusb_log_level.LIBUSB_LOG_LEVEL_DEBUG));
        if (UsbLibrary.Version.ToVersion() < new Version(1, 0, 27))
        {
            Assert.Equal((int)libusb_error.LIBUSB_ERROR_INVALID_PARAM, result);
            Assert.Equal(0, LinesOfOneCall());
        }
        else
        {
            Assert.Equal(0, result);
            Assert.True(LinesOfOneCall() > 0, "Nothing was logged: the callback did not arrive.");
        }
    }

    [Fact]
    public void A_callback_is_only_for_the_callback_option() =>
        Assert.Equal(
            (int)libusb_error.LIBUSB_ERROR_INVALID_PARAM,
            libusb.libusb_set_option(_context, libusb_option.LIBUSB_OPTION_LOG_LEVEL, &CountLine));

    // In the fake library, libusb_set_option is a variadic C function that stores its last argument. The stored value must equal the value that the test
    // passes.
    [Fact]
    public void A_variadic_function_reads_the_value()
    {
        using var fake = new FakeLibrary(new Version(1, 0, 99), """
            #include <stdarg.h>
            static void *value;
            int libusb_set_option(void *ctx, int option, ...)
            {
                va_list arguments;
                va_start(arguments, option);
                value = va_arg(arguments, void *);
                va_end(arguments);
                return option;
            }
            void *taken(void) { return value; }
            """);
        Isolated.Run(PassValues, fake.Path);
    }

    private static void PassValues(string path)
    {
        UsbLibrary.SetPath(path);
        var taken = (delegate* unmanaged<nint>)NativeLibrary.GetExport(NativeLibrary.Load(path), "taken");
        foreach (nint value in (nint[])[0, 1, -1, nint.MaxValue, nint.MinValue, unchecked((nint)0x0123_4567_89AB_CDEF)])
        {
            Assert.Equal(1234, libusb.libusb_set_option(null, (libusb_option)1234, value));
            Assert.Equal(value, taken());
        }
        Assert.Equal((int)libusb_option.LIBUSB_OPTION_LOG_CB, libusb.libusb_set_option(null, libusb_option.LIBUSB_OPTION_LOG_CB, &CountLine));
        Assert.Equal((nint)(delegate* unmanaged<libusb_context*, libusb_log_level, byte*, void>)&CountLine, taken());
    }

    private int Set(libusb_log_level level) => libusb.libusb_set_option(_context, libusb_option.LIBUSB_OPTION_LOG_LEVEL, (int)level);

    // On every system, libusb logs debug lines while it lists devices. This method returns the number of these lines. The number includes no other lines,
    // because this context handles no events, and no other thread uses the context.
    private int LinesOfOneCall()
    {
        s_lines = 0;
        libusb_device** list;
        nint count = libusb.libusb_get_device_list(_context, &list);
        Assert.True(count >= 0);
        libusb.libusb_free_device_list(list, 1);
        return s_lines;
    }

    [UnmanagedCallersOnly]
    private static void CountLine(libusb_context* context, libusb_log_level level, byte* line) => Interlocked.Increment(ref s_lines);
}
