using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Native.LibUsb;

/// <summary>
/// Records whether a log handler runs on the current thread. A handler must not call libusb, because libusb holds its locks while it calls the handler. The
/// library therefore checks the record before it calls libusb, for example at every submission of a transfer. The class has no static initializer, because an
/// initializer would make each check slower.
/// </summary>
internal static class LogScope
{
    [ThreadStatic]
    private static bool t_isInside;

    /// <summary>Gets whether a log handler runs on this thread.</summary>
    public static bool IsInside => t_isInside;

    /// <summary>Throws if a log handler runs on this thread. Members that would call libusb begin with this check.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void ThrowIfInside()
    {
        if (t_isInside)
            ThrowInside();
    }

    /// <summary>Begins the call of a handler.</summary>
    /// <returns>False if a handler already runs on this thread.</returns>
    public static bool TryEnter()
    {
        bool first = !t_isInside;
        t_isInside = true;
        return first;
    }

    /// <summary>Ends the call of a handler.</summary>
    public static void Leave() => t_isInside = false;

    [DoesNotReturn]
    private static void ThrowInside() => throw new InvalidOperationException(
        "A log handler cannot use the library, because libusb holds its locks while the handler runs.");
}
