namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Represents a transfer of a test. The object counts the accepted submissions and records the statuses of the completions. Each accepted submission must
/// complete once.
/// </summary>
internal sealed class TestedTransfer : IDisposable
{
    // Two buffers of this length use half of the 16 MiB that usbfs allows. If the runs do not free their buffers, a later run cannot allocate device memory.
    private const int DeviceMemoryLength = 4 << 20;
    private const int Packets = 4;

    private readonly List<UsbTransferStatus> _statuses = [];
    private readonly List<UsbTransferStatus> _expected = [];
    private readonly Memory<byte> _buffer;
    private int _accepted, _returned;
    private Action<TestedTransfer>? _inCallback;

    public TestedTransfer(UsbDeviceHandle handle, Cargo cargo)
    {
        Transfer = handle.CreateTransfer(isoPackets: cargo == Cargo.Isochronous ? Packets : 0);
        Cargo = cargo;
        switch (cargo)
        {
            case Cargo.CallersMemory:
                Memory = new CountedMemory(LifetimeDevice.PacketLength);
                _buffer = Memory.Memory;
                Configure();
                break;
            case Cargo.DeviceMemory or Cargo.DisposedDeviceMemory:
                UsbBuffer buffer = handle.AllocateBuffer(DeviceMemoryLength, preferDeviceMemory: true);
                Assert.True(buffer.IsDeviceMemory, "No device memory is available, because an earlier test has not freed it.");
                _buffer = buffer.Memory[..LifetimeDevice.PacketLength];
                Configure();
                if (cargo == Cargo.DisposedDeviceMemory)
                    buffer.Dispose();
                break;
            default:
                Configure();
                break;
        }

        Endpoint = Transfer.Endpoint;
    }

    private const UsbTransferStatus NotTold = (UsbTransferStatus)(-1);

    public Cargo Cargo { get; }

    public UsbTransfer Transfer { get; }

    /// <summary>Gets the caller's memory; null for a transfer that does not use such memory.</summary>
    public CountedMemory? Memory { get; }

    public byte Endpoint { get; }

    /// <summary>Gets whether every accepted submission has completed and the callback of its completion has ended.</summary>
    public bool IsBack => Volatile.Read(ref _returned) == Volatile.Read(ref _accepted);

    public void Submit() => Assert.Equal(UsbError.Success, TrySubmit());

    public UsbError TrySubmit()
    {
        Interlocked.Increment(ref _accepted); // counted first, because the callback may run before TrySubmit returns
        UsbError error = UsbError.Other;
        try
        {
            return error = Transfer.TrySubmit();
        }
        finally
        {
            if (error != UsbError.Success)
                Interlocked.Decrement(ref _accepted);
        }
    }

    /// <summary>Configures the transfer in the same way as the constructor.</summary>
    public void Configure()
    {
        switch (Cargo)
        {
            case Cargo.Bulk:
                Transfer.SetBulk(LifetimeDevice.BulkAddress, LifetimeDevice.PacketLength, OnCompleted);
                break;
            case Cargo.CallersMemory or Cargo.DeviceMemory or Cargo.DisposedDeviceMemory:
                Transfer.SetBulkPinned(LifetimeDevice.BulkAddress, _buffer, OnCompleted);
                break;
            case Cargo.Isochronous:
                Transfer.SetIsochronous(LifetimeDevice.IsochronousAddress, LifetimeDevice.PacketLength, OnCompleted);
                break;
            case Cargo.Control:
                Transfer.SetControl(LifetimeDevice.Request, LifetimeDevice.PacketLength, OnCompleted);
                break;
        }
    }

    /// <summary>Adds the status with which the latest submission must complete.</summary>
    public void Expect(UsbTransferStatus status) => _expected.Add(status);

    /// <summary>Sets an action that the next callback of the transfer runs.</summary>
    public void DoInCallback(Action<TestedTransfer> action) => _inCallback = action;

    /// <summary>Checks that each accepted submission has completed once, and that the memory is unpinned.</summary>
    public void CheckEnd()
    {
        Assert.Equal(_accepted, _statuses.Count);
        Assert.Equal(0, Memory?.Pins ?? 0);
    }

    /// <summary>Checks that the submissions completed with the expected statuses.</summary>
    public void CheckStatuses() => Assert.Equal(_expected, _statuses);

    public void Dispose() => (Memory as IDisposable)?.Dispose();

    private void OnCompleted(UsbTransfer transfer)
    {
        _statuses.Add(StatusOf(transfer));
        Interlocked.Exchange(ref _inCallback, null)?.Invoke(this);
        Interlocked.Increment(ref _returned);
    }

    private static UsbTransferStatus StatusOf(UsbTransfer transfer)
    {
        try
        {
            return transfer.Status;
        }
        catch (InvalidOperationException exception) when (exception is not ObjectDisposedException)
        {
            return NotTold; // in a race, another thread has already submitted the transfer again
        }
    }
}
