namespace Native.LibUsb.Interop;

/// <summary>
/// Represents the functions, inline functions and constants of <c>libusb.h</c> up to libusb 1.0.30, under their C names and with their C types.
/// </summary>
/// <remarks>
/// <para>Nothing here checks, copies, allocates or throws for libusb: errors are the negative numbers of <see cref="libusb_error"/>, and the rules
/// of ownership are those of C. Two kinds of exception come from .NET: <see cref="DllNotFoundException"/> when there is no libusb, and
/// <see cref="UsbNotSupportedException"/> when the loaded libusb is older than the function.</para>
/// <para>Function pointers have the platform's default calling convention, as libusb.h declares it. A callback is a static method with
/// <see cref="System.Runtime.InteropServices.UnmanagedCallersOnlyAttribute"/> and no <c>CallConvs</c>, and lets no exception out.</para>
/// </remarks>
public static unsafe partial class libusb
{
    /// <summary>The one name under which every import requests the library; <see cref="LibraryLoader"/> finds the file for it.</summary>
    internal const string LibraryName = "libusb-1.0";
}
