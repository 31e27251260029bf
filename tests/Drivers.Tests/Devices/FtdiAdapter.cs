using Native.LibUsb.Testing;

namespace Drivers.Tests.Devices;

/// <summary>
/// Represents an FT232BM serial adapter at full speed. With <see cref="Receive"/>, a test makes the adapter send characters to the host. If a test sets
/// <see cref="IsLooped"/>, the adapter returns the characters that the host has written. The adapter has no timer, and sends a packet without characters only
/// when a test requests such a packet.
/// </summary>
internal sealed class FtdiAdapter : VirtualDevice
{
    public const byte InAddress = 0x81, OutAddress = 0x02;
    public const int PacketSize = 64, StatusSize = 2;

    private readonly Queue<byte> _line = [];
    private readonly Queue<byte[]> _packets = []; // packets of a test, which are sent unchanged
    private readonly InputEndpoint _input;

    public FtdiAdapter()
        : base(Describe())
    {
        Add(_input = new InputEndpoint(this));
        Add(new OutputEndpoint(this));
    }

    /// <summary>Gets or sets whether the adapter returns the characters that the host has written.</summary>
    public bool IsLooped { get; init; }

    /// <summary>Gets the characters that the host has written.</summary>
    public List<byte> Sent { get; } = [];

    /// <summary>Gets the last value and index of each vendor request.</summary>
    public Dictionary<byte, (ushort Value, ushort Index)> Requests { get; } = [];

    /// <summary>Gets the values of all resets.</summary>
    public List<ushort> ResetValues { get; } = [];

    /// <summary>Gets or sets the status bytes.</summary>
    public (byte Lines, byte Conditions) Status { get; set; } = (0x01, 0x60);

    /// <summary>
    /// Gets or sets the answer of the adapter to all control requests that read data. If the answer is null, the adapter sends the correct data.
    /// </summary>
    public byte[]? Answer { get; set; }

    private byte Latency => Requests.TryGetValue(9, out var request) ? (byte)request.Value : (byte)16;

    /// <summary>Queues characters that the adapter sends to the host, as if they had arrived on the serial line.</summary>
    public void Receive(ReadOnlySpan<byte> characters)
    {
        lock (SyncRoot)
        {
            foreach (byte character in characters)
                _line.Enqueue(character);
            _input.Pump();
        }
    }

    /// <summary>Sends a packet unchanged.</summary>
    public void SendPacket(params byte[] packet)
    {
        lock (SyncRoot)
        {
            _packets.Enqueue(packet);
            _input.Pump();
        }
    }

    /// <summary>Sends a packet with only the status, as the chip does when its latency timer expires.</summary>
    public void SendStatus(byte lines, byte conditions)
    {
        lock (SyncRoot)
        {
            Status = (lines, conditions);
            SendPacket(lines, conditions);
        }
    }

    protected override bool OnControlRequest(VirtualUrb urb)
    {
        SetupPacket setup = urb.Setup;
        switch (setup.RequestType, setup.Request)
        {
            case (0xc0, 5):
                urb.CompleteWith(Answer ?? [Status.Lines, Status.Conditions]);
                return true;
            case (0xc0, 10):
                urb.CompleteWith(Answer ?? [Latency]);
                return true;
            case (0x40, _):
                Requests[setup.Request] = (setup.Value, setup.Index);
                if (setup.Request == 0)
                    Reset(setup.Value);
                urb.Accept();
                return true;
            default:
                return false;
        }
    }

    private static DeviceDescription Describe() => new()
    {
        Speed = VirtualSpeed.Full,
        VendorId = 0x0403,
        ProductId = 0x6001,
        Product = "Virtual serial adapter",
        Configurations =
        [
            new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting(
                new EndpointDescription(InAddress, EndpointKind.Bulk, PacketSize),
                new EndpointDescription(OutAddress, EndpointKind.Bulk, PacketSize)))
            { KernelDriver = "ftdi_sio" }),
        ],
    };

    private void Reset(ushort value)
    {
        ResetValues.Add(value);
        if (value is 0 or 1)
            _line.Clear();
    }

    private sealed class InputEndpoint(FtdiAdapter device) : VirtualEndpoint(InAddress)
    {
        public void Pump()
        {
            while ((device._packets.Count > 0 || device._line.Count > 0) && First is { } urb)
            {
                int packet;
                do
                {
                    Span<byte> room = urb.Buffer[urb.ActualLength..];
                    packet = device._packets.TryDequeue(out byte[]? made) ? Copy(made, room) : Fill(room);
                    urb.ActualLength += packet;
                }
                while (packet == PacketSize && urb.ActualLength < urb.Length && (device._packets.Count > 0 || device._line.Count > 0));

                if (packet == PacketSize && urb.ActualLength < urb.Length)
                    urb.ActualLength += Fill(urb.Buffer[urb.ActualLength..]); // the latency timer ends
                urb.Complete();
            }
        }

        protected override void OnSubmit(VirtualUrb urb) => Pump();

        private static int Copy(byte[] packet, Span<byte> room)
        {
            packet.CopyTo(room);
            return packet.Length;
        }

        private int Fill(Span<byte> room)
        {
            room[0] = device.Status.Lines;
            room[1] = device.Status.Conditions;
            int length = StatusSize;
            while (length < PacketSize && device._line.TryDequeue(out byte character))
                room[length++] = character;
            return length;
        }
    }

    private sealed class OutputEndpoint(FtdiAdapter device) : VirtualEndpoint(OutAddress)
    {
        protected override void OnSubmit(VirtualUrb urb)
        {
            device.Sent.AddRange(urb.Buffer);
            byte[] characters = urb.Buffer.ToArray();
            urb.Accept();
            if (device.IsLooped)
                device.Receive(characters);
        }
    }
}
