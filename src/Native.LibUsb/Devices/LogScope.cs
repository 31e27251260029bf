using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Native.LibUsb.Interop;

namespace Native.LibUsb;

/// <summary>
/// Knows what of the program runs on this thread with libusb below it: a log handler, during which libusb holds its locks, or the callback of a
/// transfer. A class of its own without anything to initialise, and one field for both, because every submission asks it.
/// </summary>
internal static unsafe class LogScope
{
    private const nint Handler = -1;

    // Handler, or the native transfer whose callback runs, or 0.
    [ThreadStatic]
    private static nint t_inside;

    /// <summary>Refuses what would call libusb.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ThrowIfInside()
    {
        if (t_inside == Handler)
            ThrowInside();
    }

    /// <summary>As <see cref="ThrowIfInside"/>, and tells whether the innermost callback on this thread is that of a transfer.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsInCallbackOf(libusb_transfer* transfer)
    {
        nint inside = t_inside;
        if (inside == Handler)
            ThrowInside();
        return inside == (nint)transfer;
    }

    /// <summary>A handler is about to run.</summary>
    /// <param name="outer">For <see cref="Leave"/>.</param>
    /// <returns>Whether none runs on this thread already.</returns>
    public static bool TryEnter(out nint outer)
    {
        outer = t_inside;
        t_inside = Handler;
        return outer != Handler;
    }

    /// <summary>The callback of a transfer is about to run.</summary>
    /// <returns>For <see cref="Leave"/>.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static nint EnterCallback(libusb_transfer* transfer)
    {
        nint outer = t_inside;
        t_inside = (nint)transfer;
        return outer;
    }

    /// <summary>The handler, or the callback, has returned.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Leave(nint outer) => t_inside = outer;

    [DoesNotReturn]
    private static void ThrowInside() => throw new InvalidOperationException(
        "A log handler cannot use the library: libusb waits for it, and holds its locks meanwhile.");
}
