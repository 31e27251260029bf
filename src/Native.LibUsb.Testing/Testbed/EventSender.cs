using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Native.LibUsb.Testing;

/// <summary>Sends device events to all programs that listen for them.</summary>
/// <remarks>
/// The preload library connects each udev monitor and each netlink socket of a program to the socket <c>events</c> in the testbed's directory. The sender
/// acknowledges each new connection with one byte. Each later message is an event in the kernel's format: action and path, followed by the properties. A
/// zero byte ends each part.
/// </remarks>
internal sealed unsafe class EventSender : IDisposable
{
    private const int Backlog = 64, BufferSize = 1 << 20;

    private readonly Lock _lock = new();
    private readonly List<int> _listening = [];
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Seqpacket, ProtocolType.Unspecified);
    private readonly Thread _accepter;
    private volatile bool _stopped;
    private long _sequence;

    public EventSender(string folder)
    {
        try
        {
            _listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(folder, "events")));
            _listener.Listen(Backlog);
        }
        catch
        {
            _listener.Dispose();
            throw;
        }
        _accepter = new Thread(Accept, 256 * 1024) { IsBackground = true, Name = "usb-events" };
        _accepter.Start();
    }

    /// <summary>
    /// Sends an event without blocking. If a program does not read its events fast enough, it misses some of them, just as it would miss events of a real
    /// kernel.
    /// </summary>
    public void Send(string action, TestbedDevice device)
    {
        byte[] message = Message(action, device);
        lock (_lock)
            _listening.RemoveAll(socket => !SendTo(socket, message));
    }

    public void Dispose()
    {
        _stopped = true;
        _ = Libc.Shutdown((int)_listener.SafeHandle.DangerousGetHandle(), Libc.ShutdownBoth); // wakes the accepting thread
        _accepter.Join();
        _listener.Dispose();
        foreach (int socket in _listening)
            _ = Libc.Close(socket);
        _listening.Clear();
    }

    private void Accept()
    {
        int listener = (int)_listener.SafeHandle.DangerousGetHandle();
        while (true)
        {
            int socket = Libc.Accept(listener, null, null, Libc.CloseOnExec);
            if (socket < 0)
            {
                if (_stopped)
                    return;
                continue;
            }
            int size = BufferSize;
            _ = Libc.SetOption(socket, Libc.SocketLevel, Libc.SendBuffer, &size, sizeof(int));
            lock (_lock)
            {
                _listening.RemoveAll(IsClosed);
                if (SendTo(socket, [0]))
                    _listening.Add(socket);
            }
        }
    }

    /// <summary>Sends one message without blocking. If the program has closed its end of the connection, the method closes the socket and returns
    /// false.</summary>
    private static bool SendTo(int socket, ReadOnlySpan<byte> message)
    {
        const int tryAgain = 11, noBuffers = 105;
        fixed (byte* start = message)
            while (true)
            {
                Libc.IoVector vector = new() { Base = start, Length = (nuint)message.Length };
                Libc.Message one = new() { Vectors = &vector, VectorCount = 1 };
                if (Libc.SendMessage(socket, &one, Libc.NoSignal | Libc.DoNotWait) >= 0)
                    return true;
                int error = System.Runtime.InteropServices.Marshal.GetLastPInvokeError();
                if (error == Libc.Interrupted)
                    continue;
                if (error is tryAgain or noBuffers)
                    return true; // the buffer is full because the program does not read
                _ = Libc.Close(socket);
                return false;
            }
    }

    private static bool IsClosed(int socket)
    {
        const short hangUp = 0x10;
        Libc.PollDescriptor poll = new() { Descriptor = socket };
        Libc.TimeSpec now = default;
        if (Libc.Poll(&poll, 1, &now, null) <= 0 || (poll.Returned & hangUp) == 0)
            return false;
        _ = Libc.Close(socket);
        return true;
    }

    private byte[] Message(string action, TestbedDevice device)
    {
        StringBuilder text = new();
        text.Append(CultureInfo.InvariantCulture, $"{action}@{device.Path["/sys".Length..]}\0ACTION={action}\0");
        foreach ((string name, string value) in device.Properties)
            text.Append(name).Append('=').Append(value).Append('\0');
        text.Append(CultureInfo.InvariantCulture, $"SEQNUM={++_sequence}\0");
        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
