namespace Native.LibUsb;

/// <summary>Specifies events of a file descriptor. The values are those of poll(2) on Linux and macOS.</summary>
[Flags]
public enum UsbPollEvents : short
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The descriptor can be read (<c>POLLIN</c>).</summary>
    In = 0x01,

    /// <summary>Urgent data can be read (<c>POLLPRI</c>).</summary>
    Priority = 0x02,

    /// <summary>The descriptor can be written (<c>POLLOUT</c>).</summary>
    Out = 0x04,

    /// <summary>The descriptor has an error (<c>POLLERR</c>). This event is always reported and need not be requested.</summary>
    Error = 0x08,

    /// <summary>The peer has closed its end (<c>POLLHUP</c>). This event is always reported and need not be requested.</summary>
    HangUp = 0x10,

    /// <summary>The descriptor is not open (<c>POLLNVAL</c>). This event is always reported and need not be requested.</summary>
    Invalid = 0x20,
}
