using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Interop;

// The one function of libusb with variable arguments, by hand. .NET cannot call one as such outside Windows; a plain signature with the
// value as third parameter is the same call wherever the ABI passes variable arguments like named ones. That is everywhere but on Apple's
// arm64, where they always go on the stack. There the value is made the ninth argument: eight fill the registers, the ninth is the first
// on the stack, just where the callee looks. A variadic function is cdecl also on 32-bit Windows, where the others are stdcall.
public static unsafe partial class libusb
{
    /// <summary>Sets an option of a context that takes no value.</summary>
    /// <param name="ctx">The context; null sets the default of contexts made later, for the whole process and for good.</param>
    /// <param name="option"><see cref="libusb_option.LIBUSB_OPTION_USE_USBDK"/> or
    /// <see cref="libusb_option.LIBUSB_OPTION_NO_DEVICE_DISCOVERY"/>, which must be set before the context is made: with a null context before
    /// <see cref="libusb_init"/>, or better with <see cref="libusb_init_context"/>.</param>
    /// <returns>0, or a negative <see cref="libusb_error"/>: <see cref="libusb_error.LIBUSB_ERROR_INVALID_PARAM"/> for an option that this libusb
    /// does not know or that takes a value, <see cref="libusb_error.LIBUSB_ERROR_NOT_SUPPORTED"/> for one that the platform does not
    /// have.</returns>
    public static int libusb_set_option(libusb_context* ctx, libusb_option option)
    {
        // libusb would read a value that no thread passed.
        if (option is libusb_option.LIBUSB_OPTION_LOG_LEVEL or libusb_option.LIBUSB_OPTION_LOG_CB)
            return (int)libusb_error.LIBUSB_ERROR_INVALID_PARAM;
        return SetOption(ctx, option);
    }

    /// <summary>Sets an option of a context that takes a number.</summary>
    /// <param name="ctx">The context; null sets the default of contexts made later, for the whole process and for good.</param>
    /// <param name="option">The option, in practice <see cref="libusb_option.LIBUSB_OPTION_LOG_LEVEL"/>.</param>
    /// <param name="value">The value: a <see cref="libusb_log_level"/> cast to an integer. The environment variable <c>LIBUSB_DEBUG</c> overrules
    /// it. For a pointer of some later option, the address.</param>
    /// <returns>0, or a negative <see cref="libusb_error"/>: <see cref="libusb_error.LIBUSB_ERROR_INVALID_PARAM"/> for a value or an option that
    /// this libusb does not know.</returns>
    public static int libusb_set_option(libusb_context* ctx, libusb_option option, nint value)
    {
        // C reads an int: a value that is cut down to one must not become a level by chance.
        if (option == libusb_option.LIBUSB_OPTION_LOG_LEVEL && value != (int)value)
            return (int)libusb_error.LIBUSB_ERROR_INVALID_PARAM;
        return PassesVariableArgumentsOnStack
            ? SetOption(ctx, option, 0, 0, 0, 0, 0, 0, value)
            : SetOption(ctx, option, value);
    }

    /// <summary>Sets the log callback of a context as an option. Since 1.0.27; <see cref="libusb_set_log_cb"/> also works with older ones.</summary>
    /// <param name="ctx">The context; null sets the default of contexts made later, for the whole process and for good.</param>
    /// <param name="option"><see cref="libusb_option.LIBUSB_OPTION_LOG_CB"/>.</param>
    /// <param name="value">The function to call for each line, or null for none. It may be called on any thread, with libusb's locks held.</param>
    /// <returns>0, or a negative <see cref="libusb_error"/>: <see cref="libusb_error.LIBUSB_ERROR_INVALID_PARAM"/> when this libusb is older than
    /// the option, or when <paramref name="option"/> is another one.</returns>
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
