using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Interop;

// libusb_set_option is libusb's only function with variable arguments, so its import is written by hand. Outside Windows, .NET cannot declare variable
// arguments. Most ABIs pass a variable argument like a named one, so the import has the value as a plain third parameter. Apple's arm64 ABI instead passes
// every variable argument on the stack. On that platform, the import has the value as its ninth parameter: the first eight fill the registers, and the ninth is
// the first on the stack, where libusb reads it. On 32-bit Windows, a function with variable arguments is cdecl, while libusb's other functions are stdcall.
public static unsafe partial class libusb
{
    /// <summary>Sets an option of a context that takes no value.</summary>
    /// <param name="ctx">The context. With null, the function permanently changes the default for all contexts that the process opens later.</param>
    /// <param name="option">The option: <see cref="libusb_option.LIBUSB_OPTION_USE_USBDK"/> or <see cref="libusb_option.LIBUSB_OPTION_NO_DEVICE_DISCOVERY"/>.
    /// Discovery must be switched off before the context is opened: call this function with a null context before <see cref="libusb_init"/>, or preferably pass
    /// the option to <see cref="libusb_init_context"/>.</param>
    /// <returns>0, or a negative <see cref="libusb_error"/>: <see cref="libusb_error.LIBUSB_ERROR_INVALID_PARAM"/> if this libusb does not know the option or
    /// if the option takes a value, <see cref="libusb_error.LIBUSB_ERROR_NOT_SUPPORTED"/> if the platform does not support the option.</returns>
    public static int libusb_set_option(libusb_context* ctx, libusb_option option)
    {
        // For these options, libusb would read a value that this overload does not pass.
        if (option is libusb_option.LIBUSB_OPTION_LOG_LEVEL or libusb_option.LIBUSB_OPTION_LOG_CB)
            return (int)libusb_error.LIBUSB_ERROR_INVALID_PARAM;
        return SetOption(ctx, option);
    }

    /// <summary>Sets an option of a context that takes a number.</summary>
    /// <param name="ctx">The context. With null, the function permanently changes the default for all contexts that the process opens later.</param>
    /// <param name="option">The option, in practice <see cref="libusb_option.LIBUSB_OPTION_LOG_LEVEL"/>.</param>
    /// <param name="value">For the log level, a <see cref="libusb_log_level"/> cast to an integer; the environment variable <c>LIBUSB_DEBUG</c> overrides this
    /// value. For an option of a later libusb that takes a pointer, the address.</param>
    /// <returns>0, or a negative <see cref="libusb_error"/>: <see cref="libusb_error.LIBUSB_ERROR_INVALID_PARAM"/> if this libusb does not know the option or
    /// the value.</returns>
    public static int libusb_set_option(libusb_context* ctx, libusb_option option, nint value)
    {
        // libusb reads an int. A value that does not fit must not be truncated to a valid level.
        if (option == libusb_option.LIBUSB_OPTION_LOG_LEVEL && value != (int)value)
            return (int)libusb_error.LIBUSB_ERROR_INVALID_PARAM;
        return PassesVariableArgumentsOnStack
            ? SetOption(ctx, option, 0, 0, 0, 0, 0, 0, value)
            : SetOption(ctx, option, value);
    }

    /// <summary>Sets the log callback of a context as an option, from libusb 1.0.27 on. <see cref="libusb_set_log_cb"/> also works with older
    /// versions.</summary>
    /// <param name="ctx">The context. With null, the function permanently changes the default for all contexts that the process opens later.</param>
    /// <param name="option"><see cref="libusb_option.LIBUSB_OPTION_LOG_CB"/>.</param>
    /// <param name="value">The function that libusb calls for each line; null for none. libusb may call the function on any thread, and holds its locks during
    /// the call.</param>
    /// <returns>0, or a negative <see cref="libusb_error"/>: <see cref="libusb_error.LIBUSB_ERROR_INVALID_PARAM"/> if this libusb is older than the option, or
    /// if <paramref name="option"/> is not <see cref="libusb_option.LIBUSB_OPTION_LOG_CB"/>.</returns>
    public static int libusb_set_option(
        libusb_context* ctx, libusb_option option, delegate* unmanaged<libusb_context*, libusb_log_level, byte*, void> value)
    {
        if (option != libusb_option.LIBUSB_OPTION_LOG_CB)
            return (int)libusb_error.LIBUSB_ERROR_INVALID_PARAM;
        return libusb_set_option(ctx, option, (nint)value);
    }

    private static bool PassesVariableArgumentsOnStack =>
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64
        && (OperatingSystem.IsMacOS() || OperatingSystem.IsMacCatalyst() || OperatingSystem.IsIOS() || OperatingSystem.IsTvOS());

    [LibraryImport(LibraryName, EntryPoint = "libusb_set_option")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    private static partial int SetOption(libusb_context* ctx, libusb_option option);

    [LibraryImport(LibraryName, EntryPoint = "libusb_set_option")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    private static partial int SetOption(libusb_context* ctx, libusb_option option, nint value);

    [LibraryImport(LibraryName, EntryPoint = "libusb_set_option")]
    [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
    private static partial int SetOption(
        libusb_context* ctx, libusb_option option, nint pad2, nint pad3, nint pad4, nint pad5, nint pad6, nint pad7, nint value);
}
