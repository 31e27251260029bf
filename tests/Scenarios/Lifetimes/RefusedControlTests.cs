using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Lifetimes;

/// <summary>
/// Tests control requests that the system refuses while another thread closes the handle. When the handle closes, the library frees the transfers of the
/// requests.
/// </summary>
public sealed class RefusedControlTests : BusTest
{
    private static readonly UsbControlSetup s_setup = new(UsbDirection.In, UsbRequestKind.Vendor, UsbRecipient.Device, 1, 0, 0);

    [BusTheory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_refused_request_reports_its_error_while_the_handle_is_closed(bool awaits)
    {
        Context.StartEventThread();
        for (int round = Rounds.Of(200); round > 0; round--)
        {
            var device = new BulkLoopback();
            Bus.Attach(device);
            using UsbDevice found = Context.FindDevice(device.Description.VendorId, device.Description.ProductId)!;
            UsbDeviceHandle handle = found.Open();
            Bus.Detach(device); // now the system refuses each request
            int refused = 0;
            Task[] threads = [.. Enumerable.Range(0, 3).Select(_ => Task.Run(() => RequestUntilClosed(handle, awaits, () => Interlocked.Increment(ref refused))))];
            bool refusedOften = SpinWait.SpinUntil(() => Volatile.Read(ref refused) >= 50, Patience);
            handle.Dispose();
            Assert.True(refusedOften);
            await Task.WhenAll(threads).WaitAsync(Patience);
        }
    }

    private static async Task RequestUntilClosed(UsbDeviceHandle handle, bool awaits, Action refused)
    {
        byte[] answer = new byte[8];
        try
        {
            using UsbTransfer transfer = handle.CreateTransfer();
            transfer.SetControl(s_setup, answer.Length);
            while (true)
            {
                try
                {
                    if (awaits)
                        await handle.ControlReadAsync(s_setup, answer);
                    else
                        transfer.Submit();
                }
                catch (UsbException)
                {
                    refused();
                }
                catch (InvalidOperationException exception) when (exception is not ObjectDisposedException)
                {
                    Thread.Yield(); // submitted before the system noticed the unplugging: the event thread returns it
                }
            }
        }
        catch (Exception exception) when (exception is ObjectDisposedException or OperationCanceledException)
        {
            // The handle has been closed.
        }
    }
}
