using System.Runtime.InteropServices;
using System.Text;

namespace Native.LibUsb.Testing;

/// <summary>Receives the device events of udev, or the device events of the kernel if udev does not run.</summary>
/// <remarks>
/// The kernel delivers each message to the newest listener first. A context that was created after this monitor therefore receives each message
/// before the monitor does.
/// </remarks>
internal sealed unsafe class UdevMonitor : IDisposable
{
    private const int Netlink = 16, Raw = 3, KernelEvents = 15, HeaderSize = 40, MessageSize = 65536;
    private const uint FromKernel = 1, FromUdev = 2;

    private readonly int _socket;
    private readonly byte[] _message = new byte[MessageSize];

    public UdevMonitor()
    {
        _socket = Libc.Socket(Netlink, Raw | Libc.CloseOnExec, KernelEvents);
        if (_socket < 0)
            throw new PlatformNotSupportedException($"No netlink socket: error {Marshal.GetLastPInvokeError()}.");
        // struct sockaddr_nl: family, padding, port (0: any), groups
        uint* address = stackalloc uint[] { Netlink, 0, File.Exists("/run/udev/control") ? FromUdev : FromKernel };
        if (Libc.Bind(_socket, address, 12) != 0)
        {
            int error = Marshal.GetLastPInvokeError();
            _ = Libc.Close(_socket);
            throw new PlatformNotSupportedException($"The monitor for udev events cannot be opened: error {error}.");
        }
    }

    /// <summary>Discards the events received so far.</summary>
    public void Forget()
    {
        while (Next(TimeSpan.Zero, out _))
        {
        }
    }

    /// <summary>Waits for an event of a USB device.</summary>
    /// <param name="action">The action of the event: <c>add</c>, <c>bind</c>, <c>remove</c> or another action.</param>
    /// <param name="name">The device's name in sysfs.</param>
    /// <param name="patience">The maximum time to wait.</param>
    /// <returns>False if the time has expired.</returns>
    public bool WaitFor(string action, string name, TimeSpan patience)
    {
        long end = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        while (Next(TimeSpan.FromMilliseconds(Math.Max(end - Environment.TickCount64, 0)), out Dictionary<string, string> properties))
            if (properties.GetValueOrDefault("ACTION") == action && properties.GetValueOrDefault("DEVTYPE") == "usb_device"
                && properties.TryGetValue("DEVPATH", out string? path) && Path.GetFileName(path) == name)
                return true;
        return false;
    }

    public void Dispose() => _ = Libc.Close(_socket);

    /// <summary>Receives the next message. Returns false if none arrives in time.</summary>
    private bool Next(TimeSpan patience, out Dictionary<string, string> properties)
    {
        const int overrun = 105;
        properties = [];
        Libc.PollDescriptor poll = new() { Descriptor = _socket, Events = Libc.PollIn };
        Libc.TimeSpec rest = new() { Seconds = (nint)patience.TotalSeconds, Nanoseconds = patience.Milliseconds * 1_000_000 };
        if (Libc.Poll(&poll, 1, &rest, null) <= 0)
            return false;
        nint length;
        fixed (byte* message = _message)
        {
            Libc.IoVector vector = new() { Base = message, Length = MessageSize };
            Libc.Message received = new() { Vectors = &vector, VectorCount = 1 };
            length = Libc.ReceiveMessage(_socket, &received, 0);
        }
        if (length < 0)
            return Marshal.GetLastPInvokeError() is overrun or Libc.Interrupted; // some messages were lost, but more may follow
        ReadOnlySpan<byte> text = _message.AsSpan(0, (int)length);
        // Messages from udev begin with a header, and the fifth number in the header is the offset of the properties. Messages from the kernel
        // begin with a line of text.
        int start = text.StartsWith("libudev\0"u8) && length >= HeaderSize ? BitConverter.ToInt32(text[16..]) : 0;
        foreach (string property in Encoding.UTF8.GetString(text[Math.Min(start, text.Length)..]).Split('\0'))
            if (property.Split('=', 2) is [string name, string value])
                properties[name] = value;
        return true;
    }
}
