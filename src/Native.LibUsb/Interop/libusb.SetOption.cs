using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Native.LibUsb.Interop;

// libusb_set_option is libusb's only variadic function. .NET supports variadic functions only on Windows, so the imports and pointers below have fixed
// parameters. Most ABIs pass a variadic argument in the same way as a named argument, so the value is simply the third parameter. Apple's arm64 ABI instead
// passes every variadic argument on the stack. For this ABI, the value is the ninth parameter: the first eight parameters fill the registers, and the ninth
// parameter is the first on the stack, where libusb reads the value. On 32-bit Windows, libusb's other functions use the calling
// convention stdcall, but this function uses cdecl, because it is variadic.
public static unsafe partial class libusb
{
    /// <summary>Sets a context option that takes no value.</summary>
    /// <param name="ctx">The context. With null, the function sets the option for all contexts that the process opens later. The process cannot undo such a
    /// call.</param>
    /// <param name="option">The option: <see cref="libusb_option.LIBUSB_OPTION_USE_USBDK"/> or <see cref="libusb_option.LIBUSB_OPTION_NO_DEVICE_DISCOVERY"/>.
    /// The latter has an effect only before the context is opened: pass it to <see cref="libusb_init_context"/>, or call this function with a null context
    /// before you call <see cref="libusb_init"/>.</param>
    /// <returns>
    /// 0, or a negative <see cref="libusb_error"/>. <see cref="libusb_error.LIBUSB_ERROR_INVALID_PARAM"/> means that the option takes a value or does not exist
    /// in this version of libusb. <see cref="libusb_error.LIBUSB_ERROR_NOT_SUPPORTED"/> means that the platform does not support the option.
    /// </returns>
    public static int libusb_set_option(libusb_context* ctx, libusb_option option)
    {
        // For these options, libusb would read a value that this overload does not pass.
        if (option is libusb_option.LIBUSB_OPTION_LOG_LEVEL or libusb_option.LIBUSB_OPTION_LOG_CB)
            return (int)libusb_error.LIBUSB_ERROR_INVALID_PARAM;
        return SetOption(ctx, option);
    }

    /// <summary>Sets a context option that takes a number.</summary>
    /// <param name="ctx">The context. With null, the function changes the default for all contexts that the process opens later. In libusb 1.0.26, the changed
    /// log level applies only to the default context.</param>
    /// <param name="option">The option. Up to libusb 1.0.30, only <see cref="libusb_option.LIBUSB_OPTION_LOG_LEVEL"/> takes a number.</param>
    /// <param name="value">
    /// If the option is the log level, the value is a <see cref="libusb_log_level"/>, cast to an integer. The environment variable <c>LIBUSB_DEBUG</c>
    /// overrides the log level. If a later version of libusb adds an option that takes a pointer, pass the address as the value.
    /// </param>
    /// <returns>0, or a negative <see cref="libusb_error"/>. <see cref="libusb_error.LIBUSB_ERROR_INVALID_PARAM"/> means that this version of libusb does not
    /// have the option, or that the value is not valid.</returns>
    public static int libusb_set_option(libusb_context* ctx, libusb_option option, nint value)
    {
        // libusb reads an int. A value that does not fit must not be truncated to a valid level.
        if (option == libusb_option.LIBUSB_OPTION_LOG_LEVEL && value != (int)value)
            return (int)libusb_error.LIBUSB_ERROR_INVALID_PARAM;
        return PassesVariableArgumentsOnStack
            ? SetOptionOnStack(ctx, option, value)
            : SetOption(ctx, option, value);
    }

    /// <summary>Sets the log callback of a context. The option exists in libusb 1.0.27 and later. <see cref="libusb_set_log_cb"/> also works with older
    /// versions.</summary>
    /// <param name="ctx">The context. With null, the function changes the default for all contexts that the process opens later.</param>
    /// <param name="option"><see cref="libusb_option.LIBUSB_OPTION_LOG_CB"/>.</param>
    /// <param name="value">The function that libusb calls for each line of the log. Null removes the current function. libusb may call the function on any
    /// thread, and holds its internal locks during the call.</param>
    /// <returns>0, or a negative <see cref="libusb_error"/>. <see cref="libusb_error.LIBUSB_ERROR_INVALID_PARAM"/> means that libusb is older than 1.0.27, or
    /// that <paramref name="option"/> is not <see cref="libusb_option.LIBUSB_OPTION_LOG_CB"/>.</returns>
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

    private static int SetOption(libusb_context* ctx, libusb_option option)
    {
        if (!ProgramBinding.UsesFunctionPointers)
            return Imports.SetOption(ctx, option);
        return ((delegate* unmanaged[Cdecl]<libusb_context*, libusb_option, int>)SetOptionAddress)(ctx, option);
    }

    private static int SetOption(libusb_context* ctx, libusb_option option, nint value)
    {
        if (!ProgramBinding.UsesFunctionPointers)
            return Imports.SetOption(ctx, option, value);
        return ((delegate* unmanaged[Cdecl]<libusb_context*, libusb_option, nint, int>)SetOptionAddress)(ctx, option, value);
    }

    private static int SetOptionOnStack(libusb_context* ctx, libusb_option option, nint value)
    {
        if (!ProgramBinding.UsesFunctionPointers)
            return Imports.SetOption(ctx, option, 0, 0, 0, 0, 0, 0, value);
        var function = (delegate* unmanaged[Cdecl]<libusb_context*, libusb_option, nint, nint, nint, nint, nint, nint, nint, int>)SetOptionAddress;
        return function(ctx, option, 0, 0, 0, 0, 0, 0, value);
    }

    private static void* SetOptionAddress => LibraryLoader.GetFunction(ref Addresses.SetOption, "libusb_set_option");

    private static partial class Addresses
    {
        internal static nint SetOption;
    }

    private static partial class Imports
    {
        [LibraryImport(LibraryName, EntryPoint = "libusb_set_option")]
        [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
        internal static partial int SetOption(libusb_context* ctx, libusb_option option);

        [LibraryImport(LibraryName, EntryPoint = "libusb_set_option")]
        [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
        internal static partial int SetOption(libusb_context* ctx, libusb_option option, nint value);

        [LibraryImport(LibraryName, EntryPoint = "libusb_set_option")]
        [UnmanagedCallConv(CallConvs = [typeof(CallConvCdecl)])]
        internal static partial int SetOption(
            libusb_context* ctx, libusb_option option, nint pad2, nint pad3, nint pad4, nint pad5, nint pad6, nint pad7, nint value);
    }
}
