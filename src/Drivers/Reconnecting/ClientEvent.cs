namespace Drivers.Reconnecting;

/// <summary>Specifies what an item of a stream that survives an unplugged device is.</summary>
public enum ClientEvent
{
    /// <summary>The device was opened: data of a new connection follows.</summary>
    Connected,

    /// <summary>Data arrived.</summary>
    Data,

    /// <summary>The device is gone. The client waits for it.</summary>
    Disconnected,
}
