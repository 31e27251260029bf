using System.Runtime.CompilerServices;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>Tests that the garbage collector closes objects that the program has not disposed. The finalizers of these objects may run in any order.</summary>
public sealed class ForgottenObjectsTests : IDisposable
{
    // The list omits Cargo.DeviceMemory. The program has not disposed this device memory, and may still use a span of the memory. The library therefore frees
    // the memory only when the device handle closes.
    private static readonly Cargo[] s_cargos = [Cargo.Bulk, Cargo.CallersMemory, Cargo.DisposedDeviceMemory, Cargo.Isochronous, Cargo.Control];

    private readonly Watchdog _watchdog = new(test: nameof(ForgottenObjectsTests));
    private readonly VirtualBus _bus = TestBus.Create();
    private readonly LifetimeDevice _device = new();
    private readonly CountingAllocator.Counts _before = CountingAllocator.Read();
    private readonly List<CountedMemory> _memory = []; // the caller's memory outlives the transfers
    private int _callbacks;

    public ForgottenObjectsTests() => _bus.Attach(_device);

    public void Dispose()
    {
        _memory.ForEach(memory => ((IDisposable)memory).Dispose());
        _bus.Dispose();
        _watchdog.Dispose();
    }

    [BusTheory]
    [InlineData(Moment.Configured)]
    [InlineData(Moment.Completed)]
    public void Forgotten_transfers_are_collected(Moment moment)
    {
        using (var context = new UsbContext())
        {
            UsbDeviceHandle handle = Open(context);
            long transfers = CountingAllocator.Read().LiveTransfers;
            Collect(MakeTransfers(handle, moment));
            Assert.Equal(transfers, CountingAllocator.Read().LiveTransfers);
            GC.KeepAlive(handle);
        }

        CheckNothingIsLeft();
    }

    [BusTheory]
    [InlineData(Moment.Configured)]
    [InlineData(Moment.Completed)]
    public void A_forgotten_handle_is_collected_with_its_transfers(Moment moment)
    {
        using (var context = new UsbContext())
        {
            Collect(MakeHandle(context, moment));
            Open(context).Dispose(); // succeeds only if the claim of the forgotten handle is released
        }

        CheckNothingIsLeft();
    }

    [BusTheory]
    [InlineData(Moment.Configured)]
    [InlineData(Moment.Completed)]
    public void A_forgotten_context_is_collected_with_all_its_objects(Moment moment)
    {
        Collect(MakeContext(moment));
        CheckNothingIsLeft();
    }

    [BusFact]
    public void Transfers_in_flight_are_called_back_and_then_collected_with_their_handle()
    {
        using (var context = new UsbContext())
        {
            WeakReference[] forgotten = MakeHandle(context, Moment.Submitted);
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Assert.All(forgotten, one => Assert.True(one.IsAlive));
            _device.CompleteAll();
            Pump(context, until: s_cargos.Length);
            Collect(forgotten);
            Open(context).Dispose();
        }

        CheckNothingIsLeft();
    }

    [BusFact]
    public void Transfers_in_flight_are_called_back_when_the_context_is_disposed()
    {
        WeakReference[] forgotten;
        using (var context = new UsbContext())
            forgotten = MakeHandle(context, Moment.Submitted);
        Assert.Equal(s_cargos.Length, _callbacks);
        CheckNothingIsLeft(); // holds before any collection, because the context has disposed the objects
        Collect(forgotten);
    }

    private static void Collect(WeakReference[] forgotten)
    {
        // An object to which a finalizer releases the last reference is collected by a later collection.
        for (int round = 0; round < 10; round++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.All(forgotten, one => Assert.False(one.IsAlive));
    }

    private void CheckNothingIsLeft()
    {
        Assert.All(_memory, memory => Assert.Equal(0, memory.Pins));
        CountingAllocator.CheckNothingIsLeft(_before);
        using var context = new UsbContext();
        using UsbDeviceHandle handle = Open(context);
        using var first = new TestedTransfer(handle, Cargo.DeviceMemory); // fails when the device memory of an earlier transfer is not freed
        using var second = new TestedTransfer(handle, Cargo.DeviceMemory);
    }

    private void Pump(UsbContext context, int until)
    {
        while (_callbacks < until)
            context.HandleEvents(TimeSpan.FromMilliseconds(100));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static UsbDeviceHandle Open(UsbContext context)
    {
        UsbDevice device = context.FindDevice(LifetimeDevice.Vendor, LifetimeDevice.Product)!; // this device is forgotten too
        UsbDeviceHandle handle = device.Open();
        handle.ClaimInterface(0);
        return handle;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference[] MakeContext(Moment moment)
    {
        var context = new UsbContext();
        return [new WeakReference(context), .. MakeHandle(context, moment)];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference[] MakeHandle(UsbContext context, Moment moment)
    {
        UsbDeviceHandle handle = Open(context);
        return [new WeakReference(handle), .. MakeTransfers(handle, moment)];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private WeakReference[] MakeTransfers(UsbDeviceHandle handle, Moment moment)
    {
        TestedTransfer[] transfers = [.. s_cargos.Select(cargo => new TestedTransfer(handle, cargo))];
        _memory.AddRange(transfers.Select(transfer => transfer.Memory).OfType<CountedMemory>());
        if (moment != Moment.Configured)
        {
            foreach (TestedTransfer transfer in transfers)
            {
                transfer.DoInCallback(_ => _callbacks++);
                transfer.Submit();
            }

            _device.WaitForKept(transfers.Length, Stage.Patience);
        }

        if (moment == Moment.Completed)
        {
            _device.CompleteAll();
            Pump(handle.Context, until: transfers.Length);
        }

        return [.. transfers.Select(transfer => new WeakReference(transfer.Transfer))];
    }
}
