using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Native.LibUsb;

/// <summary>
/// Marks that a log handler runs on this thread: libusb is below it, and holds its locks. A class of its own without anything to initialise,
/// because every submission reads it.
/// </summary>
internal static class LogScope
{
    [ThreadStatic]
    private static bool t_isInside;

    /// <summary>Gets whether a log handler runs on this thread.</summary>
    public static bool IsInside => t_isInside;

    /// <summary>Refuses what would call libusb.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ThrowIfInside()
    {
        if (t_isInside)
            ThrowInside();
    }

    /// <summary>Begins a handler's call.</summary>
    /// <returns>Whether none runs on this thread already.</returns>
    public static bool TryEnter()
    {
        bool first = !t_isInside;
        t_isInside = true;
        return first;
    }

    /// <summary>Ends a handler's call.</summary>
    public static void Leave() => t_isInside = false;

    [DoesNotReturn]
    private static void ThrowInside() => throw new InvalidOperationException(
        "A log handler cannot use the library: libusb waits for it, and holds its locks in the meantime.");
}
