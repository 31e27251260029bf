using System.Buffers.Binary;
using Native.LibUsb.Testing;

namespace Drivers.Tests.Devices;

/// <summary>
/// Represents a disk that uses the bulk-only transport. The content of the disk is in the memory of the test. After a protocol error, both endpoints stay
/// halted until the host resets the interface, as the class specification requires.
/// </summary>
internal sealed class VirtualDisk : VirtualDevice
{
    public const byte InAddress = 0x81, OutAddress = 0x02;
    public const int BlockSize = 512;

    private readonly Input _input;
    private readonly Output _output;
    private readonly byte[] _sense = new byte[18];
    private Phase _phase;
    private bool _needsReset;
    private byte[] _data = [];
    private int _position;
    private uint _tag;
    private int _asked;
    private byte _operation, _status;
    private uint _block;

    public VirtualDisk(int blocks = 4096)
        : base(Describe())
    {
        Content = new byte[blocks * BlockSize];
        Add(_input = new Input(this));
        Add(_output = new Output(this));
    }

    private enum Phase
    {
        Command,
        DataIn,
        DataOut,
        Status,
    }

    public byte[] Content { get; }

    /// <summary>Gets or sets the number of commands that the disk answers with a unit attention.</summary>
    public int Attentions { get; set; } = 1;

    public bool IsWriteProtected { get; set; }

    /// <summary>
    /// Gets or sets the operation code of a read command, and the data with which the disk answers the next command with this code. After that, the disk
    /// answers normally.
    /// </summary>
    public (byte Operation, byte[] Data)? OtherData { get; set; }

    /// <summary>Gets or sets the function that changes the next status wrapper.</summary>
    public Func<byte[], byte[]>? ChangeStatus { get; set; }

    /// <summary>Gets or sets whether the disk stalls once before it sends the next status wrapper.</summary>
    public bool StallsStatus { get; set; }

    /// <summary>Gets or sets whether the disk stalls after half of the data of the next read command.</summary>
    public bool StallsData { get; set; }

    /// <summary>Gets the number of resets of the interface.</summary>
    public int InterfaceResets { get; private set; }

    public List<byte> Operations { get; } = [];

    protected override bool OnControlRequest(VirtualUrb urb)
    {
        if (urb.Setup is not { RequestType: 0x21, Request: 0xff })
            return false;
        InterfaceResets++;
        _needsReset = false;
        _phase = Phase.Command;
        urb.Accept();
        return true;
    }

    private static DeviceDescription Describe() => new()
    {
        Speed = VirtualSpeed.High,
        VendorId = 0x1209,
        ProductId = 0x0020,
        Product = "Virtual disk",
        Configurations =
        [
            new ConfigurationDescription(new InterfaceDescription(0, new AlternateSetting(
                new EndpointDescription(InAddress, EndpointKind.Bulk, 512),
                new EndpointDescription(OutAddress, EndpointKind.Bulk, 512)) { Class = 8, Subclass = 6, Protocol = 0x50 })
            { KernelDriver = "usb-storage" }),
        ],
    };

    private void Pump()
    {
        while (!_needsReset && (_phase switch
        {
            Phase.Command => TakeCommand(),
            Phase.DataIn => GiveData(),
            Phase.DataOut => TakeData(),
            _ => GiveStatus(),
        }))
        {
        }
    }

    private bool TakeCommand()
    {
        if (_output.Oldest is not { } urb)
            return false;
        ReadOnlySpan<byte> wrapper = urb.Buffer;
        if (wrapper.Length != 31 || BinaryPrimitives.ReadUInt32LittleEndian(wrapper) != 0x43425355)
        {
            Break();
            return false;
        }

        _tag = BinaryPrimitives.ReadUInt32LittleEndian(wrapper[4..]);
        _asked = BinaryPrimitives.ReadInt32LittleEndian(wrapper[8..]);
        bool isIn = wrapper[12] == 0x80;
        byte[] command = wrapper.Slice(15, wrapper[14]).ToArray();
        urb.Accept();
        Operations.Add(_operation = command[0]);
        _position = 0;
        _status = 0;
        _data = Execute(command);
        if (isIn && OtherData is { } other && other.Operation == _operation)
            (_data, OtherData) = (other.Data, null);
        _phase = _asked == 0 ? Phase.Status : isIn ? Phase.DataIn : Phase.DataOut;
        return true;
    }

    private byte[] Execute(byte[] command)
    {
        if (_operation is not (0x03 or 0x12) && Attentions > 0)
        {
            Attentions--;
            return Refuse(6, 0x29);
        }

        switch (_operation)
        {
            case 0x00 or 0x35:
                return [];
            case 0x03:
                return _sense;
            case 0x12:
                return [0, 0x80, 4, 2, 31, 0, 0, 0, .. "Virtual Disk in memory  1.00"u8];
            case 0x25:
                byte[] capacity = new byte[8];
                BinaryPrimitives.WriteInt32BigEndian(capacity, (Content.Length / BlockSize) - 1);
                BinaryPrimitives.WriteInt32BigEndian(capacity.AsSpan(4), BlockSize);
                return capacity;
            case 0x28 or 0x2a:
                _block = BinaryPrimitives.ReadUInt32BigEndian(command.AsSpan(2));
                int count = BinaryPrimitives.ReadUInt16BigEndian(command.AsSpan(7));
                return _operation == 0x2a && IsWriteProtected ? Refuse(7, 0x27)
                    : _operation == 0x28 ? Content.AsSpan((int)_block * BlockSize, count * BlockSize).ToArray() : [];
            default:
                return Refuse(5, 0x20);
        }
    }

    private byte[] Refuse(byte key, byte code)
    {
        _status = 1;
        (_sense[0], _sense[2], _sense[7], _sense[12]) = (0x70, key, 10, code);
        return [];
    }

    private bool GiveData()
    {
        if (_input.Oldest is not { } urb)
            return false;
        int length = Math.Min(StallsData ? _data.Length / 2 : _data.Length, urb.Length);
        _data.AsSpan(0, length).CopyTo(urb.Buffer);
        _phase = Phase.Status;
        _position = length;
        if (StallsData || length == 0)
        {
            StallsData = false;
            urb.ActualLength = length;
            _input.Halt();
        }
        else
        {
            urb.CompleteWith(_data);
        }

        return true;
    }

    private bool TakeData()
    {
        if (_output.Oldest is not { } urb)
            return false;
        _phase = Phase.Status;
        if (_status != 0)
        {
            _output.Halt();
            return true;
        }

        urb.Buffer.CopyTo(Content.AsSpan((int)_block * BlockSize));
        _position = urb.Length;
        urb.Accept();
        return true;
    }

    private bool GiveStatus()
    {
        if (_input.Oldest is not { } urb)
            return false;
        if (StallsStatus)
        {
            StallsStatus = false;
            _input.Halt();
            return false;
        }

        byte[] wrapper = new byte[13];
        BinaryPrimitives.WriteUInt32LittleEndian(wrapper, 0x53425355);
        BinaryPrimitives.WriteUInt32LittleEndian(wrapper.AsSpan(4), _tag);
        BinaryPrimitives.WriteInt32LittleEndian(wrapper.AsSpan(8), Math.Max(0, _asked - _position));
        wrapper[12] = _status;
        _phase = Phase.Command;
        if (ChangeStatus is { } change)
        {
            ChangeStatus = null;
            urb.CompleteWith(change(wrapper));
            Break();
            return false;
        }

        urb.CompleteWith(wrapper);
        return true;
    }

    /// <summary>Makes the disk answer no command until the host resets the interface.</summary>
    private void Break()
    {
        _needsReset = true;
        _input.Halt();
        _output.Halt();
    }

    private sealed class Input(VirtualDisk disk) : VirtualEndpoint(InAddress)
    {
        public VirtualUrb? Oldest => First;

        protected override void OnSubmit(VirtualUrb urb) => disk.Pump();

        protected override void OnHaltCleared()
        {
            if (disk._needsReset)
                Halt();
        }
    }

    private sealed class Output(VirtualDisk disk) : VirtualEndpoint(OutAddress)
    {
        public VirtualUrb? Oldest => First;

        protected override void OnSubmit(VirtualUrb urb) => disk.Pump();

        protected override void OnHaltCleared()
        {
            if (disk._needsReset)
                Halt();
        }
    }
}
