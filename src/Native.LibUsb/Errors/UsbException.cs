using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Native.LibUsb;

/// <summary>
/// Represents the failure of a libusb operation. The exception contains the error code, the operation and the number of bytes that were transferred before the
/// failure. If the error code alone would mislead the user, the exception also contains a hint.
/// </summary>
public class UsbException : IOException
{
    /// <summary>Initializes an exception for an error code.</summary>
    /// <param name="error">The error code that libusb returned.</param>
    /// <param name="operation">The requested operation in a few words, such as "claim interface 0".</param>
    /// <param name="bytesTransferred">The number of bytes that were transferred before the failure.</param>
    /// <param name="hint">Advice about the cause, or null.</param>
    public UsbException(UsbError error, string operation, int bytesTransferred = 0, string? hint = null)
        : base(Describe(error, operation, bytesTransferred, hint))
    {
        Error = error;
        Operation = operation;
        BytesTransferred = bytesTransferred;
        Hint = hint;
    }

    /// <summary>Gets the code that libusb returned.</summary>
    public UsbError Error { get; }

    /// <summary>Gets the requested operation.</summary>
    public string Operation { get; }

    /// <summary>Gets the number of bytes that were transferred before the failure. Received bytes are in the caller's buffer.</summary>
    public int BytesTransferred { get; }

    /// <summary>Gets advice about the cause if the code alone would mislead the user; otherwise null.</summary>
    public string? Hint { get; }

    /// <summary>Throws an exception if <paramref name="code"/> is negative.</summary>
    /// <param name="code">The return value of a libusb function.</param>
    /// <param name="operation">The requested operation.</param>
    /// <returns><paramref name="code"/>, if it is not an error.</returns>
    /// <exception cref="UsbException"><paramref name="code"/> is negative.</exception>
    [StackTraceHidden]
    public static int ThrowIfError(int code, string operation)
    {
        if (code < 0)
        {
            Throw((UsbError)code, operation);
        }

        return code;
    }

    [DoesNotReturn, StackTraceHidden]
    internal static void Throw(UsbError error, string operation, int bytesTransferred = 0, string? hint = null) =>
        throw new UsbException(error, operation, bytesTransferred, hint);

    private static string Describe(UsbError error, string operation, int bytesTransferred, string? hint)
    {
        string moved = bytesTransferred == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" after {bytesTransferred} bytes");
        string text = string.Create(CultureInfo.InvariantCulture, $"Cannot {operation}: {Explain(error)} ({Name(error)} [{(int)error}]){moved}.");
        return hint is null ? text : text + " " + hint;
    }

    private static string Explain(UsbError error) => error switch
    {
        UsbError.Success => "no error",
        UsbError.IO => "input/output error",
        UsbError.InvalidParameter => "invalid argument",
        UsbError.Access => "no permission",
        UsbError.NoDevice => "the device is gone",
        UsbError.NotFound => "not found",
        UsbError.Busy => "busy",
        UsbError.Timeout => "timed out",
        UsbError.Overflow => "the device sent more than was requested",
        UsbError.Pipe => "the endpoint is halted, or the device does not know the request",
        UsbError.Interrupted => "interrupted by a signal",
        UsbError.NoMemory => "out of memory",
        UsbError.NotSupported => "not supported here",
        UsbError.Closed => "closed",
        UsbError.Canceled => "canceled",
        UsbError.DataLost => "data was lost",
        _ => "unknown error",
    };

    // The message contains the C name, because users search for it.
    private static string Name(UsbError error) => error switch
    {
        UsbError.Success => "LIBUSB_SUCCESS",
        UsbError.IO => "LIBUSB_ERROR_IO",
        UsbError.InvalidParameter => "LIBUSB_ERROR_INVALID_PARAM",
        UsbError.Access => "LIBUSB_ERROR_ACCESS",
        UsbError.NoDevice => "LIBUSB_ERROR_NO_DEVICE",
        UsbError.NotFound => "LIBUSB_ERROR_NOT_FOUND",
        UsbError.Busy => "LIBUSB_ERROR_BUSY",
        UsbError.Timeout => "LIBUSB_ERROR_TIMEOUT",
        UsbError.Overflow => "LIBUSB_ERROR_OVERFLOW",
        UsbError.Pipe => "LIBUSB_ERROR_PIPE",
        UsbError.Interrupted => "LIBUSB_ERROR_INTERRUPTED",
        UsbError.NoMemory => "LIBUSB_ERROR_NO_MEM",
        UsbError.NotSupported => "LIBUSB_ERROR_NOT_SUPPORTED",
        UsbError.Other => "LIBUSB_ERROR_OTHER",
        _ => error.ToString(),
    };
}
