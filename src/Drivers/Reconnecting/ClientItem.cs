using Native.LibUsb;

namespace Drivers.Reconnecting;

/// <summary>Represents an item in the stream of a <see cref="ReconnectingClient"/>.</summary>
/// <param name="Event">The kind of the item.</param>
/// <param name="Data">The data. It is valid until the enumerator moves to the next item.</param>
/// <param name="Cause">The error that ended the connection. The value is null if no error was reported, or if the item does not represent the end of a
/// connection.</param>
public readonly record struct ClientItem(ClientEvent Event, ReadOnlyMemory<byte> Data = default, UsbException? Cause = null);
