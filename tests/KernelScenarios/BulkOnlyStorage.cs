using System.Buffers.Binary;

namespace Native.LibUsb.Tests.Kernel;

/// <summary>
/// Represents the host's side of the bulk-only transport for mass storage. The host sends a command wrapper, transfers data in either direction, and reads a
/// status wrapper. The interface must be claimed.
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

    /// <summary>Gets a new object for the bulk IN endpoint of the interface. A reset makes earlier endpoint objects stale.</summary>
    public UsbEndpoint Input => _claimed.GetEndpoint(In);

    /// <summary>Gets a new object for the bulk OUT endpoint of the interface.</summary>
    public UsbEndpoint Output => _claimed.GetEndpoint(Out);

    /// <summary>Gets the address of the bulk IN endpoint.</summary>
    public byte In { get; }

    /// <summary>Gets the address of the bulk OUT endpoint.</summary>
    public byte Out { get; }

    /// <summary>Executes a command that transfers no data.</summary>
    public CommandStatus Command(ReadOnlySpan<byte> command)
    {
        uint tag = SendCommand(command, 0, isIn: false);
        return ReadStatus(tag);
    }

    /// <summary>Executes a command that reads data.</summary>
    public CommandStatus Read(ReadOnlySpan<byte> command, Memory<byte> data, IDataPhase? phase = null)
    {
        uint tag = SendCommand(command, data.Length, isIn: true);
        byte[]? status = (phase ?? SynchronousPhase.Instance).Read(this, data);
        return status is null ? ReadStatus(tag) : Parse(status, tag);
    }

    /// <summary>Executes a command that writes data.</summary>
    public CommandStatus Write(ReadOnlySpan<byte> command, Memory<byte> data, IDataPhase? phase = null)
    {
        uint tag = SendCommand(command, data.Length, isIn: false);
        (phase ?? SynchronousPhase.Instance).Write(this, data);
        return ReadStatus(tag);
    }

    /// <summary>Sends a command wrapper.</summary>
    /// <returns>The tag of the command. The device repeats the tag in the status wrapper.</returns>
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
    /// Reads the status wrapper. A device may halt the endpoint to end the data early. In this case, this method clears the halt and reads the status wrapper
    /// again.
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

    /// <summary>
    /// Resynchronizes the host and the device as the class specification requires. The method resets the interface, and then clears the halts of both
    /// endpoints.
    /// </summary>
    public void Recover()
    {
        var reset = new UsbControlSetup(UsbDirection.Out, UsbRequestKind.Class, UsbRecipient.Interface, request: 0xff, value: 0, index: 0);
        Handle.ControlWrite(reset, timeout: Machine.Patience);
        Input.ClearHalt();
        Output.ClearHalt();
    }

    /// <summary>
    /// Resets the port. The reset empties the queues of QEMU's controller and of the kernel's driver. If the host cancels some transfers while the device
    /// stalls others, the two queues may contain different transfers. If the port is not reset in this case, the next read may succeed but return no data. A
    /// usbmon trace shows such a read.
    /// </summary>
    public void StartAnew()
    {
        Handle.Reset();
        MakeReady();
    }

    /// <summary>
    /// Repeats the command TEST UNIT READY until the command passes. After the device has been plugged in or reset, it first answers with a unit attention.
    /// </summary>
    public void MakeReady()
    {
        for (int attention = 0; Command(Scsi.TestUnitReady) != CommandStatus.Passed; attention++)
        {
            Assert.True(attention < 3, "The unit did not become ready.");
            Assert.Equal(Scsi.UnitAttention, RequestSense().Key);
        }
    }

    /// <summary>Returns the reason why the last command failed: the sense key and the additional sense code.</summary>
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
