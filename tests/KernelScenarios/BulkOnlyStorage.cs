using System.Buffers.Binary;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>
/// Represents the host's side of the bulk-only transport for mass storage: a command wrapper out, data either way, a status wrapper in. The interface
/// must be claimed.
/// </summary>
public sealed class BulkOnlyStorage
{
    public const int BlockSize = 512;

    private const int CommandLength = 31;
    private const int StatusLength = 13;
    private const uint CommandSignature = 0x43425355;
    private const uint StatusSignature = 0x53425355;
    private const int FirstTag = 0x1000;

    private readonly UsbInterface _claimed;
    private uint _tag = FirstTag;

    public BulkOnlyStorage(UsbDeviceHandle handle)
        : this(handle.ClaimInterface(0))
    {
    }

    public BulkOnlyStorage(UsbInterface claimed)
    {
        _claimed = claimed;
        Handle = claimed.Handle;
        Assert.True(Handle.Device.GetActiveConfigurationDescriptor().TryFindSetting(0, 0, out UsbInterfaceDescriptor? setting));
        Assert.Equal((0x08, 0x06, 0x50), (setting.Class, setting.SubClass, setting.Protocol)); // storage, SCSI, bulk-only
        foreach (UsbEndpointDescriptor endpoint in setting.Endpoints)
        {
            Assert.Equal(UsbTransferType.Bulk, endpoint.TransferType);
            if (endpoint.Direction == UsbDirection.In)
                In = endpoint.Address;
            else
                Out = endpoint.Address;
        }
    }

    public UsbDeviceHandle Handle { get; }

    /// <summary>Gets the bulk IN endpoint, taken from the interface anew: a reset makes the one before it stale.</summary>
    public UsbEndpoint Input => _claimed.GetEndpoint(In);

    /// <summary>Gets the bulk OUT endpoint, as <see cref="Input"/> gets its own.</summary>
    public UsbEndpoint Output => _claimed.GetEndpoint(Out);

    /// <summary>Gets the address of the bulk IN endpoint.</summary>
    public byte In { get; }

    /// <summary>Gets the address of the bulk OUT endpoint.</summary>
    public byte Out { get; }

    /// <summary>A command that moves no data.</summary>
    public CommandStatus Command(ReadOnlySpan<byte> command)
    {
        uint tag = SendCommand(command, 0, isIn: false);
        return ReadStatus(tag);
    }

    /// <summary>A command that reads.</summary>
    public CommandStatus Read(ReadOnlySpan<byte> command, Memory<byte> data, IDataPhase? phase = null)
    {
        uint tag = SendCommand(command, data.Length, isIn: true);
        byte[]? status = (phase ?? SynchronousPhase.Instance).Read(this, data);
        return status is null ? ReadStatus(tag) : Parse(status, tag);
    }

    /// <summary>A command that writes.</summary>
    public CommandStatus Write(ReadOnlySpan<byte> command, Memory<byte> data, IDataPhase? phase = null)
    {
        uint tag = SendCommand(command, data.Length, isIn: false);
        (phase ?? SynchronousPhase.Instance).Write(this, data);
        return ReadStatus(tag);
    }

    /// <summary>Sends a command wrapper.</summary>
    /// <returns>Its tag, which the status repeats.</returns>
    public uint SendCommand(ReadOnlySpan<byte> command, int dataLength, bool isIn)
    {
        Span<byte> wrapper = stackalloc byte[CommandLength];
        wrapper.Clear();
        uint tag = ++_tag;
        BinaryPrimitives.WriteUInt32LittleEndian(wrapper, CommandSignature);
        BinaryPrimitives.WriteUInt32LittleEndian(wrapper[4..], tag);
        BinaryPrimitives.WriteInt32LittleEndian(wrapper[8..], dataLength);
        wrapper[12] = (byte)(isIn ? 0x80 : 0);
        wrapper[14] = (byte)command.Length;
        command.CopyTo(wrapper[15..]);
        Assert.Equal(CommandLength, Output.Write(wrapper, Machine.Patience));
        return tag;
    }

    /// <summary>
    /// Reads the status wrapper. A halted endpoint is the device's way to end the data early: it is cleared, and the status follows.
    /// </summary>
    public CommandStatus ReadStatus(uint tag)
    {
        byte[] wrapper = new byte[StatusLength];
        UsbError error = Input.TryRead(wrapper, out int length, Machine.Patience);
        if (error == UsbError.Pipe)
        {
            Input.ClearHalt();
            length = Input.Read(wrapper, Machine.Patience);
        }
        else
        {
            Assert.Equal(UsbError.Success, error);
        }

        return Parse(wrapper.AsSpan(0, length), tag);
    }

    /// <summary>The class's way out when the two ends do not agree any more: reset of the interface, then both halts are cleared.</summary>
    public void Recover()
    {
        var reset = new UsbControlSetup(UsbDirection.Out, UsbRequestKind.Class, UsbRecipient.Interface, request: 0xff, value: 0, index: 0);
        Handle.ControlWrite(reset, timeout: Machine.Patience);
        Input.ClearHalt();
        Output.ClearHalt();
    }

    /// <summary>
    /// A reset of the port, after transfers were cancelled at the moment when others stalled: QEMU's controller and the kernel's driver then lose
    /// count, and the next read may end well with no data at all (usbmon shows it). After a reset their queues are new.
    /// </summary>
    public void StartAnew()
    {
        Handle.Reset();
        MakeReady();
    }

    /// <summary>Repeats the request until the device is ready: after it was plugged in or reset, its first answer is that this has happened.</summary>
    public void MakeReady()
    {
        for (int attention = 0; Command(Scsi.TestUnitReady) != CommandStatus.Passed; attention++)
        {
            Assert.True(attention < 3, "The unit does not become ready.");
            Assert.Equal(Scsi.UnitAttention, RequestSense().Key);
        }
    }

    /// <summary>Returns why the last command failed: the sense key and the additional code.</summary>
    public (byte Key, byte Code) RequestSense()
    {
        byte[] sense = new byte[18];
        CommandStatus status = Read(Scsi.RequestSense(sense.Length), sense);
        Assert.Equal(0, status.Code);
        return ((byte)(sense[2] & 0x0f), sense[12]);
    }

    private static CommandStatus Parse(ReadOnlySpan<byte> wrapper, uint tag)
    {
        Assert.Equal(StatusLength, wrapper.Length);
        Assert.Equal(StatusSignature, BinaryPrimitives.ReadUInt32LittleEndian(wrapper));
        Assert.Equal(tag, BinaryPrimitives.ReadUInt32LittleEndian(wrapper[4..]));
        return new CommandStatus(wrapper[12], BinaryPrimitives.ReadInt32LittleEndian(wrapper[8..]));
    }
}
