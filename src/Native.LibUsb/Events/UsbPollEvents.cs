namespace Native.LibUsb;

/// <summary>Specifies events of a file descriptor; the numbers are those of poll(2) on Linux and macOS.</summary>
[Flags]
public enum UsbPollEvents : short
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>It can be read: POLLIN.</summary>
    In = 0x01,

    /// <summary>There is urgent data: POLLPRI.</summary>
    Priority = 0x02,

    /// <summary>It can be written: POLLOUT.</summary>
    Out = 0x04,

    /// <summary>It failed: POLLERR. It is never requested and always reported.</summary>
    Error = 0x08,

    /// <summary>The other end is gone: POLLHUP. It is never requested and always reported.</summary>
    HangUp = 0x10,

    /// <summary>That is no open descriptor: POLLNVAL. It is never requested and always reported.</summary>
    Invalid = 0x20,
}
