using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Native.LibUsb.Testing;

/// <summary>Represents the connection of one host to one device. It reads USB/IP messages and sends the model's answers.</summary>
/// <remarks>
/// Each connection has one thread that reads messages. The thread that completes a URB holds the device's lock while it sends the reply, so replies are
/// sent in the order of completion. Sending may block until the host reads. A deadlock is impossible, because every host reads without waiting for anything
/// else. In steady state, the connection does not allocate: it reuses URBs and their buffers.
/// </remarks>
internal sealed unsafe class Connection
{
    private const int StagingSize = 65536, Vectors = 1 + UsbIp.MaxPackets + 1, KeptUrbs = 256, MaxVectors = 1024;

    private readonly int _socket;
    private readonly Func<Connection, string, int, (VirtualDevice? Device, int Error)> _resolve;
    private readonly Func<IReadOnlyList<VirtualDevice>> _list;
    private readonly Dictionary<uint, VirtualUrb> _inFlight = [];
    private readonly Dictionary<uint, uint> _unlinkedEarly = []; // maps the sequence number of a URB to that of the unlink request
    private readonly Stack<VirtualUrb> _free = [];
    private readonly byte* _memory;
    private readonly byte* _staging;
    private readonly Libc.IoVector* _vectors;
    private readonly byte* _isoOut;
    private readonly byte* _isoIn;
    private readonly bool _isKernel;
    private VirtualDevice? _device;
    private VirtualUrb? _building; // the URB whose data is being read
    private int _staged, _stagedEnd;
    private uint _lastSubmitted;
    private bool _ended;

    /// <summary>Initializes a new instance of the <see cref="Connection"/> class. The connection owns the connected socket.</summary>
    /// <param name="socket">The file descriptor of the socket.</param>
    /// <param name="resolve">
    /// Finds the device that is named in an import request. If the request must be refused, the function returns an error number. The arguments are the
    /// connection, the name and the access mode.
    /// </param>
    /// <param name="list">Returns the devices for a list request.</param>
    /// <param name="device">The device of the connection, if the host sends no import request. The kernel's vhci_hcd is such a host. For other hosts, the value
    /// is null, and the import request names the device.</param>
    public Connection(int socket, Func<Connection, string, int, (VirtualDevice? Device, int Error)> resolve, Func<IReadOnlyList<VirtualDevice>> list, VirtualDevice? device = null)
    {
        _socket = socket;
        _resolve = resolve;
        _list = list;
        _device = device;
        _isKernel = device is not null;
        int iso = UsbIp.MaxPackets * UsbIp.IsoSize;
        _memory = (byte*)NativeMemory.Alloc((nuint)(StagingSize + (Vectors * sizeof(Libc.IoVector)) + iso + iso));
        _staging = _memory;
        _vectors = (Libc.IoVector*)(_memory + StagingSize);
        _isoOut = (byte*)(_vectors + Vectors);
        _isoIn = _isoOut + iso;
        if (device is not null)
            lock (device.SyncRoot)
                device.Connected(this);
        Thread = new Thread(Run, 256 * 1024) { IsBackground = true, Name = "usb-host" };
    }

    public Thread Thread { get; }

    /// <summary>Shuts the connection down: both sides read the end of the stream.</summary>
    public void Shutdown()
    {
        lock (_inFlight)
            if (!_ended)
                _ = Libc.Shutdown(_socket, Libc.ShutdownBoth);
    }

    /// <summary>Sends the result of a completed URB to the host, and keeps the URB's memory for reuse. The caller holds the device's lock.</summary>
    public void Return(VirtualUrb urb, UrbStatus status)
    {
        _inFlight.Remove(urb.Sequence);
        byte* header = stackalloc byte[UsbIp.HeaderSize];
        int packets = urb.PacketCount, errors = 0, count = 1, actual = urb.ActualLength;
        if (packets > 0)
        {
            actual = 0;
            Span<IsoPacket> all = urb.Packets;
            byte* iso = _isoOut;
            int start = 0, length = 0; // a contiguous run of data
            for (int i = 0; i < all.Length; i++, iso += UsbIp.IsoSize)
            {
                ref IsoPacket packet = ref all[i];
                if ((uint)packet.ActualLength > (uint)packet.Length)
                    packet.ActualLength = packet.ActualLength < 0 ? 0 : packet.Length;
                if (packet.Status != UrbStatus.Success)
                    errors++;
                actual += packet.ActualLength;
                Put(iso, packet.Offset);
                Put(iso + 4, packet.Length);
                Put(iso + 8, packet.ActualLength);
                Put(iso + 12, (int)packet.Status);
                if (!urb.IsIn || packet.ActualLength == 0)
                    continue;
                if (length > 0 && start + length != packet.Offset)
                {
                    _vectors[count++] = new Libc.IoVector { Base = urb.Pointer + start, Length = (nuint)length };
                    length = 0;
                }
                if (length == 0)
                    start = packet.Offset;
                length += packet.ActualLength;
            }
            if (length > 0)
                _vectors[count++] = new Libc.IoVector { Base = urb.Pointer + start, Length = (nuint)length };
            _vectors[count++] = new Libc.IoVector { Base = _isoOut, Length = (nuint)(packets * UsbIp.IsoSize) };
        }
        else if (urb.IsIn && actual > 0)
        {
            _vectors[count++] = new Libc.IoVector { Base = urb.Pointer, Length = (nuint)actual };
        }
        Start(header, UsbIp.ReturnSubmit, urb.Sequence);
        Put(header + 20, (int)status);
        Put(header + 24, actual);
        Put(header + 28, urb.StartFrame);
        Put(header + 32, packets);
        Put(header + 36, errors);
        _vectors[0] = new Libc.IoVector { Base = header, Length = UsbIp.HeaderSize };
        Send(count);
        if (_ended || _free.Count >= KeptUrbs)
            urb.Free();
        else
            _free.Push(urb);
    }

    private static void Put(byte* to, int value) => *(int*)to = BinaryPrimitives.ReverseEndianness(value);

    private static int Get(byte* from) => BinaryPrimitives.ReverseEndianness(*(int*)from);

    private static void Start(byte* header, uint command, uint sequence)
    {
        new Span<byte>(header, UsbIp.HeaderSize).Clear();
        Put(header, (int)command);
        Put(header + 4, (int)sequence);
    }

    private void Run()
    {
        try
        {
            byte* header = stackalloc byte[UsbIp.HeaderSize];
            if (_device is not null || Import())
                while (Take(header, UsbIp.HeaderSize) && Handle(header))
                {
                }
        }
        finally
        {
            End();
        }
    }

    private void End()
    {
        _device?.Disconnected(this);
        object sending = _device?.SyncRoot ?? _inFlight;
        lock (sending) // no other thread sends: all URBs are completed, and the device no longer lists this connection
            lock (_inFlight)
            {
                _ended = true;
                _ = Libc.Close(_socket);
                _building?.Free();
                while (_free.TryPop(out VirtualUrb? urb))
                    urb.Free();
                NativeMemory.Free(_memory);
            }
    }

    private bool Handle(byte* header)
    {
        uint command = (uint)Get(header), sequence = (uint)Get(header + 4);
        return command switch
        {
            UsbIp.Submit => HandleSubmit(header, sequence),
            UsbIp.Unlink => HandleUnlink(header, sequence),
            UsbIp.Host => HandleHost(header, sequence),
            _ => false,
        };
    }

    private bool HandleSubmit(byte* header, uint sequence)
    {
        VirtualDevice device = _device!;
        bool isIn = Get(header + 12) != 0;
        int number = Get(header + 16), length = Get(header + 24), packets = Get(header + 32);
        uint flags = (uint)Get(header + 20);
        packets = Math.Max(packets, 0); // -1 also means "not isochronous"
        if (length is < 0 or > UsbIp.MaxLength || packets > UsbIp.MaxPackets || (uint)number > 15)
            return false;
        VirtualUrb? urb;
        lock (device.SyncRoot)
            if (!_free.TryPop(out urb))
                urb = new VirtualUrb(this);
        _building = urb;
        urb.Prepare(length, packets);
        urb.Sequence = sequence;
        urb.IsIn = isIn;
        urb.ShortNotOk = (flags & UsbIp.ShortNotOk) != 0;
        urb.ZeroPacket = (flags & UsbIp.ZeroPacket) != 0;
        urb.IsContinuation = (flags & UsbIp.Continuation) != 0;
        urb.Microframe = (flags & UsbIp.HasTime) != 0 ? FrameClock.FromMonotonic((uint)Get(header + 28)) : FrameClock.Now;
        urb.StreamId = packets == 0 && number != 0 ? (uint)Get(header + 28) : 0;
        urb.Setup = number == 0 ? SetupPacket.Read(new ReadOnlySpan<byte>(header + 40, 8)) : default;
        if (!isIn && length > 0 && !Take(urb.Pointer, length))
            return false;
        if (packets > 0)
        {
            if (!Take(_isoIn, packets * UsbIp.IsoSize))
                return false;
            Span<IsoPacket> all = urb.Packets;
            long end = 0;
            for (int i = 0; i < packets; i++)
            {
                byte* iso = _isoIn + (i * UsbIp.IsoSize);
                all[i] = new IsoPacket { Offset = Get(iso), Length = Get(iso + 4) };
                if (all[i].Offset < end || all[i].Length < 0)
                    return false;
                end = (long)all[i].Offset + all[i].Length;
            }
            if (end > length)
                return false;
        }
        lock (device.SyncRoot)
        {
            byte address = (byte)(number | (isIn && number != 0 ? 0x80 : 0));
            VirtualEndpoint? endpoint = device.Find(address);
            urb.Endpoint = endpoint is null || (endpoint.Description is null && number != 0) ? device.ControlEndpoint : endpoint;
            _building = null;
            urb.IsInFlight = true;
            _inFlight[sequence] = urb;
            _lastSubmitted = sequence;
            if (_unlinkedEarly.Remove(sequence, out uint unlink))
            {
                urb.Endpoint.GiveBack(urb, UrbStatus.Unlinked);
                AnswerUnlink(unlink, UrbStatus.Unlinked);
            }
            else if (urb.Endpoint.Address != address)
                urb.Endpoint.GiveBack(urb, UrbStatus.NoEndpoint);
            else if (!device.IsAttached)
                urb.Endpoint.GiveBack(urb, UrbStatus.NoDevice);
            else
                urb.Endpoint.Receive(urb);
        }
        return true;
    }

    private bool HandleUnlink(byte* header, uint sequence)
    {
        uint target = (uint)Get(header + 20);
        lock (_device!.SyncRoot)
        {
            // The kernel's vhci_hcd alternates between two steps: it sends all waiting URBs, and then all waiting unlink requests. If a program submits and
            // unlinks a URB during the second step, the unlink request arrives before the URB. The bus detects this case by the sequence numbers of the URBs,
            // which always increase: the URB in the unlink request has a higher number than the last URB that has arrived. The bus then answers the request
            // when the URB arrives. If the bus answered immediately that the URB is already complete, the kernel would end the connection when the URB
            // completes later.
            if (_isKernel && (int)(target - _lastSubmitted) > 0)
            {
                _unlinkedEarly[target] = sequence;
                return true;
            }

            bool found = _inFlight.TryGetValue(target, out VirtualUrb? urb);
            if (found) // the URB returns its data; USB/IP's reply to the unlink request has no room for data
                urb!.Endpoint.Take(urb, UrbStatus.Unlinked);
            AnswerUnlink(sequence, found ? UrbStatus.Unlinked : UrbStatus.Success);
        }
        return true;
    }

    private void AnswerUnlink(uint sequence, UrbStatus status)
    {
        byte* reply = stackalloc byte[UsbIp.HeaderSize];
        Start(reply, UsbIp.ReturnUnlink, sequence);
        Put(reply + 20, (int)status);
        _vectors[0] = new Libc.IoVector { Base = reply, Length = UsbIp.HeaderSize };
        Send(1);
    }

    private bool HandleHost(byte* header, uint sequence)
    {
        int length = Get(header + 32);
        if (length is < 0 or > 256)
            return false;
        byte* payload = stackalloc byte[256];
        byte* reply = stackalloc byte[256];
        byte* answer = stackalloc byte[UsbIp.HeaderSize];
        byte* table = stackalloc byte[UsbIp.EndpointTableSize];
        if (length > 0 && !Take(payload, length))
            return false;
        VirtualDevice device = _device!;
        lock (device.SyncRoot)
        {
            int result = device.Host.Perform((HostOperation)Get(header + 20), (uint)Get(header + 24), (uint)Get(header + 28),
                new ReadOnlySpan<byte>(payload, length), this, new Span<byte>(reply, 255), out int replyLength);
            device.WriteEndpointTable(new Span<byte>(table, UsbIp.EndpointTableSize));
            Start(answer, UsbIp.ReturnHost, sequence);
            Put(answer + 20, result);
            Put(answer + 24, replyLength);
            _vectors[0] = new Libc.IoVector { Base = answer, Length = UsbIp.HeaderSize };
            _vectors[1] = new Libc.IoVector { Base = table, Length = UsbIp.EndpointTableSize };
            _vectors[2] = new Libc.IoVector { Base = reply, Length = (nuint)replyLength };
            Send(replyLength > 0 ? 3 : 2);
        }
        return true;
    }

    /// <summary>
    /// Handles the requests that the host sends before the first URB. The answer to a list request is the list of devices. An import request selects the
    /// device of the connection. Returns false if the connection has ended.
    /// </summary>
    private bool Import()
    {
        byte* request = stackalloc byte[8 + UsbIp.BusIdSize];
        while (Take(request, 8))
        {
            ushort code = BinaryPrimitives.ReverseEndianness(*(ushort*)(request + 2));
            if (code == UsbIp.RequestDeviceList)
            {
                if (!SendBytes(DeviceList()))
                    return false;
                continue;
            }
            if (code != UsbIp.RequestImport || !Take(request + 8, UsbIp.BusIdSize))
                return false;
            string name = Encoding.ASCII.GetString(request + 8, UsbIp.BusIdSize).TrimEnd('\0');
            (VirtualDevice? device, int error) = _resolve(this, name, Get(request + 4));
            bool node = name.Contains('/', StringComparison.Ordinal);
            if (device is null)
            {
                _ = SendBytes(ReplyHeader(UsbIp.ReplyImport, node ? (uint)error : UsbIp.NotAvailable));
                return false;
            }
            _device = device;
            lock (device.SyncRoot)
            {
                if (!device.IsAttached)
                    return false; // unplugged after the lookup; the end of the stream signals this to the peer
                List<byte> reply = [.. ReplyHeader(UsbIp.ReplyImport, 0), .. DeviceRecord(device)];
                if (node)
                    AddHostRecord(reply, device);
                return SendBytes([.. reply]);
            }
        }
        return false;
    }

    private static byte[] ReplyHeader(ushort code, uint status)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, UsbIp.Version);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(2), code);
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(4), status);
        return bytes;
    }

    private static byte[] DeviceRecord(VirtualDevice device)
    {
        byte[] bytes = new byte[UsbIp.DeviceSize];
        Encoding.ASCII.GetBytes($"/sys/bus/usb/devices/{device.PortPath}").CopyTo(bytes, 0);
        Encoding.ASCII.GetBytes(device.PortPath ?? "").CopyTo(bytes, 256);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(288), device.BusNumber);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(292), device.DeviceNumber);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(296), (int)device.Description.Speed);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(300), device.Description.VendorId);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(302), device.Description.ProductId);
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(304), device.Description.Release);
        bytes[306] = device.Description.Class;
        bytes[307] = device.Description.Subclass;
        bytes[308] = device.Description.Protocol;
        bytes[309] = device.Configuration;
        bytes[310] = (byte)device.Description.Configurations.Count;
        bytes[311] = (byte)(device.ActiveConfiguration?.Interfaces.Count ?? 0);
        return bytes;
    }

    private byte[] DeviceList()
    {
        IReadOnlyList<VirtualDevice> devices = _list();
        List<byte> bytes = [.. ReplyHeader(UsbIp.ReplyDeviceList, 0), 0, 0, (byte)(devices.Count >> 8), (byte)devices.Count];
        foreach (VirtualDevice device in devices)
        {
            bytes.AddRange(DeviceRecord(device));
            foreach (InterfaceDescription one in device.ActiveConfiguration?.Interfaces ?? [])
                bytes.AddRange([one.AlternateSettings[0].Class, one.AlternateSettings[0].Subclass, one.AlternateSettings[0].Protocol, 0]);
        }
        return [.. bytes];
    }

    /// <summary>Extends an import reply with three parts: a record of 28 bytes, the endpoint table and the descriptors. The preload library needs this data,
    /// but USB/IP does not define it.</summary>
    private static void AddHostRecord(List<byte> to, VirtualDevice device)
    {
        byte[] descriptors = device.AllDescriptors;
        byte[] record = new byte[28];
        BinaryPrimitives.WriteUInt32BigEndian(record, (uint)device.Bus!.Options.Capabilities);
        BinaryPrimitives.WriteInt32BigEndian(record.AsSpan(4), device.BusNumber);
        BinaryPrimitives.WriteInt32BigEndian(record.AsSpan(8), device.DeviceNumber);
        BinaryPrimitives.WriteInt32BigEndian(record.AsSpan(12), (int)device.Description.Speed);
        if (device.Faults is not null)
            record[12] |= UsbIp.AsksBeforeSubmission;
        string path = device.PortPath!;
        byte[] ports = path.StartsWith("usb", StringComparison.Ordinal) ? [] :
            [.. path[(path.IndexOf('-', StringComparison.Ordinal) + 1)..].Split('.').Select(p => byte.Parse(p, CultureInfo.InvariantCulture))];
        record[16] = (byte)ports.Length;
        ports.CopyTo(record, 17);
        BinaryPrimitives.WriteInt32BigEndian(record.AsSpan(24), descriptors.Length);
        to.AddRange(record);
        Span<byte> table = stackalloc byte[UsbIp.EndpointTableSize];
        device.WriteEndpointTable(table);
        to.AddRange(table);
        to.AddRange(descriptors);
    }

    private bool SendBytes(byte[] bytes)
    {
        fixed (byte* start = bytes)
        {
            _vectors[0] = new Libc.IoVector { Base = start, Length = (nuint)bytes.Length };
            return Send(1);
        }
    }

    /// <summary>
    /// Sends the first <paramref name="count"/> vectors. A closed connection is not an error here, because the reading thread detects it and cleans up.
    /// </summary>
    private bool Send(int count)
    {
        if (_ended)
            return false;
        Libc.IoVector* vector = _vectors;
        while (count > 0)
        {
            Libc.Message message = new() { Vectors = vector, VectorCount = (nuint)Math.Min(count, MaxVectors) };
            nint sent = Libc.SendMessage(_socket, &message, Libc.NoSignal);
            if (sent < 0)
            {
                if (Marshal.GetLastPInvokeError() == Libc.Interrupted)
                    continue;
                return false;
            }
            while (count > 0 && (nuint)sent >= vector->Length)
            {
                sent -= (nint)vector->Length;
                vector++;
                count--;
            }
            if (count > 0)
            {
                vector->Base = (byte*)vector->Base + sent;
                vector->Length -= (nuint)sent;
            }
        }
        return true;
    }

    /// <summary>
    /// Reads exactly the given number of bytes. Only the reading thread calls this method. Each system call reads directly into the caller's buffer, so
    /// large data is not copied. If more bytes have arrived than the caller needs, the same system call reads the additional bytes into the staging buffer.
    /// </summary>
    private bool Take(byte* to, int length)
    {
        int staged = Math.Min(_stagedEnd - _staged, length);
        if (staged > 0)
        {
            Buffer.MemoryCopy(_staging + _staged, to, length, staged);
            _staged += staged;
            to += staged;
            length -= staged;
        }
        Libc.IoVector* vectors = stackalloc Libc.IoVector[2];
        while (length > 0)
        {
            vectors[0] = new Libc.IoVector { Base = to, Length = (nuint)length };
            vectors[1] = new Libc.IoVector { Base = _staging, Length = StagingSize };
            Libc.Message message = new() { Vectors = vectors, VectorCount = 2 };
            nint got = Libc.ReceiveMessage(_socket, &message, 0);
            if (got < 0 && Marshal.GetLastPInvokeError() == Libc.Interrupted)
                continue;
            if (got <= 0)
                return false;
            if (got >= length)
            {
                _staged = 0;
                _stagedEnd = (int)(got - length);
                return true;
            }
            to += got;
            length -= (int)got;
        }
        return true;
    }
}
