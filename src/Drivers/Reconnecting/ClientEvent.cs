namespace Drivers.Reconnecting;

/// <summary>Specifies the kind of an item in the stream of a <see cref="ReconnectingClient"/>.</summary>
public enum ClientEvent
{
    /// <summary>The device has been opened. The data of a new connection follows.</summary>
    Connected,

    /// <summary>Data has arrived.</summary>
    Data,

    /// <summary>The device has been unplugged. The client waits until it is plugged in again.</summary>
    Disconnected,
}
