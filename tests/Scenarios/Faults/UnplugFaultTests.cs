using Native.LibUsb.Streaming;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Faults;

/// <summary>
/// Tests a program whose device is unplugged or reset between two steps. Every call that the program makes must return. After a reset, the same device must
/// work again. After the device is unplugged, the next device that is attached must work.
/// </summary>
[PreloadOnly(KernelLimits.Faults)]
public sealed class UnplugFaultTests : BusTest
{
    public static TheoryData<FaultKind, FaultMoment> Rows()
    {
        var rows = new TheoryData<FaultKind, FaultMoment>();
        foreach (FaultKind kind in (FaultKind[])[FaultKind.Unplug, FaultKind.Reset])
        {
            foreach (FaultMoment moment in Enum.GetValues<FaultMoment>())
                rows.Add(kind, moment);
        }

        return rows;
    }

    [BusTheory]
    [MemberData(nameof(Rows))]
    public async Task Each_step_ends_and_the_next_device_works(FaultKind kind, FaultMoment moment)
    {
        Context.StartEventThread();
        foreach (byte endpoint in (byte[])[0, BulkSourceSink.OutAddress, BulkSourceSink.InAddress])
        {
            int hits = 0;
            for (int step = 0; ; step++)
            {
                var plan = new FaultPlan().Add(new FaultRule(kind) { Endpoint = endpoint, First = step, Limit = 1, Moment = moment });
                var device = new BulkSourceSink { Faults = plan };
                UsbError error = await Play(device).WaitAsync(Patience);
                bool hit = plan.Faults.Count > 0;
                if (!hit)
                {
                    Assert.Equal(UsbError.Success, error);
                    device.Unplug();
                    break;
                }

                hits++;
                Assert.Equal((kind, endpoint), (plan.Faults[0].Kind, plan.Faults[0].Endpoint));
                if (kind == FaultKind.Reset)
                {
                    Assert.Equal(UsbError.Success, await Play(device).WaitAsync(Patience)); // the device still works after the reset
                    device.Unplug();
                }

                Assert.True(SpinWait.SpinUntil(() => !device.IsAttached, Patience));
            }

            Assert.InRange(hits, 5, 100); // the number of steps in the program
        }
    }

    /// <summary>Opens the device and transfers data with control requests, reads, writes and a ring.</summary>
    /// <returns>The first error; <see cref="UsbError.Success"/> if no call fails.</returns>
    private async Task<UsbError> Play(BulkSourceSink device)
    {
        try
        {
            using UsbDeviceHandle handle = Open(device);
            UsbEndpoint output = handle.At(BulkSourceSink.OutAddress), input = handle.At(BulkSourceSink.InAddress);
            byte[] data = [1, 2, 3], answer = new byte[512];
            for (int i = 0; i < 3; i++)
            {
                Ask(handle);
                Assert.Equal(3, output.Write(data, Patience));
                Assert.Equal(512, input.Read(answer, Patience));
                await handle.ControlReadAsync(s_status, new byte[2]);
                await output.WriteAsync(data);
                Assert.Equal(512, await input.ReadAsync(answer));
            }

            await using UsbInputRing ring = input.CreateInputRing(new UsbRingOptions { TransferSize = 512, Transfers = 2 });
            ring.Start();
            for (int i = 0; i < 3; i++)
            {
                await output.WriteAsync(data);
                using UsbInputBuffer buffer = await ring.ReadAsync();
                if (buffer.IsNone)
                    throw ring.Failure ?? throw new InvalidOperationException("The ring has ended without a failure.");
                if (buffer.Status != UsbTransferStatus.Completed)
                    return UsbError.NoDevice;
            }

            Ask(handle);
            return UsbError.Success;
        }
        catch (UsbException failure)
        {
            return failure.Error == UsbError.Success ? UsbError.Other : failure.Error;
        }
    }

    private static readonly UsbControlSetup s_status = new(UsbDirection.In, UsbRequestKind.Standard, UsbRecipient.Device, 0, 0, 0);

    private static void Ask(UsbDeviceHandle handle) => Assert.Equal(2, handle.ControlRead(s_status, new byte[2], Patience));
}
