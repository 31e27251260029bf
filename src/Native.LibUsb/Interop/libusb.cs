namespace Native.LibUsb.Interop;

/// <summary>
/// Contains the functions, inline functions and constants of <c>libusb.h</c> up to libusb 1.0.30, with their C names and C types.
/// </summary>
/// <remarks>
/// <para>These functions do not check arguments, and they do not copy or allocate memory. They return errors as the negative numbers of
/// <see cref="libusb_error"/>. The rules for the ownership of memory are the same as in C. The functions throw only two exceptions:
/// <see cref="DllNotFoundException"/> if no usable libusb is found, and <see cref="UsbNotSupportedException"/> if the loaded libusb lacks the function.</para>
/// <para>Function pointers have the platform's default calling convention, as in libusb.h. To write a callback, declare a static method with
/// <see cref="System.Runtime.InteropServices.UnmanagedCallersOnlyAttribute"/> and without <c>CallConvs</c>. The callback must not let an exception
/// escape.</para>
/// </remarks>
public static unsafe partial class libusb
{
    /// <summary>The library name of every import. <see cref="LibraryLoader"/> finds the file for this name.</summary>
    internal const string LibraryName = "libusb-1.0";
}
