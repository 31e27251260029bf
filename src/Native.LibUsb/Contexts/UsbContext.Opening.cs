using Native.LibUsb.Interop;

namespace Native.LibUsb;

// This part opens the native context with its options, for new and old versions of libusb.
public sealed unsafe partial class UsbContext
{
    // True after discovery was switched off for the whole process. Versions of libusb before 1.0.27 cannot switch it on again.
    private static volatile bool s_discoveryIsOff;

    private static libusb_context* OpenNative(UsbContextOptions options)
    {
        libusb_context* context;
        if (OptionalExports.IsAvailable(OptionalExports.libusb_init_context))
        {
            OpenWithOptions(options, &context);
            return context;
        }

        // Before libusb 1.0.27, discovery can be switched off only for the whole process, and the other options can be set only on an open context.
        if (options.NoDeviceDiscovery)
        {
            SetOption(null, libusb_option.LIBUSB_OPTION_NO_DEVICE_DISCOVERY, "switch device discovery off");
            s_discoveryIsOff = true;
        }

        ThrowIfNotOpened(libusb.libusb_init(&context));
        try
        {
            if (options.LogLevel is { } level)
                UsbException.ThrowIfError(libusb.libusb_set_option(context, libusb_option.LIBUSB_OPTION_LOG_LEVEL, (int)level), "set the log level");
            if (options.UseUsbDk)
                SetOption(context, libusb_option.LIBUSB_OPTION_USE_USBDK, "use UsbDk");
            if (options.LogHandler is { } handler)
                LogDispatcher.Set(context, handler);
        }
        catch
        {
            libusb.libusb_exit(context);
            throw;
        }

        return context;
    }

    private static void OpenWithOptions(UsbContextOptions options, libusb_context** context)
    {
        const int most = 4;
        libusb_init_option* list = stackalloc libusb_init_option[most];
        int count = 0;
        if (options.LogLevel is { } level)
        {
            list[count].option = libusb_option.LIBUSB_OPTION_LOG_LEVEL;
            list[count++].value.ival = (int)level;
        }

        if (options.UseUsbDk)
            list[count++].option = libusb_option.LIBUSB_OPTION_USE_USBDK;
        if (options.NoDeviceDiscovery)
            list[count++].option = libusb_option.LIBUSB_OPTION_NO_DEVICE_DISCOVERY;
        if (options.LogHandler is { } handler)
        {
            list[count].option = libusb_option.LIBUSB_OPTION_LOG_CB;
            list[count++].value.log_cbval = LogDispatcher.ContextCallback;
            LogDispatcher.Opening(handler);
        }

        int result;
        try
        {
            result = libusb.libusb_init_context(context, list, count);
            if (result == 0 && options.LogHandler is { } known)
                LogDispatcher.Opened(*context, known);
        }
        finally
        {
            LogDispatcher.Opening(null);
        }

        ThrowIfNotOpened(result);
    }

    private static void ThrowIfNotOpened(int result)
    {
        if (result < 0)
            UsbException.Throw((UsbError)result, "open a libusb context", hint: ErrorHint.ForContext((UsbError)result));
    }

    private static void SetOption(libusb_context* context, libusb_option option, string operation) =>
        UsbException.ThrowIfError(libusb.libusb_set_option(context, option), operation);
}
