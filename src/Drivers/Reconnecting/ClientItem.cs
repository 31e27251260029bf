using Native.LibUsb;

namespace Drivers.Reconnecting;

/// <summary>Represents an item of the stream of a <see cref="ReconnectingClient"/>.</summary>
/// <param name="Event">What it is.</param>
/// <param name="Data">The data, which is valid until the enumerator moves to the next item.</param>
/// <param name="Cause">Why the connection ended; null for other items, and when no error was reported.</param>
public readonly record struct ClientItem(ClientEvent Event, ReadOnlyMemory<byte> Data = default, UsbException? Cause = null);
