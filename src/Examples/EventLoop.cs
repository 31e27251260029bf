// Waits for USB events and for other file descriptors in one thread, with one call of poll(2). In this example, the thread accepts TCP clients and reads an
// interrupt endpoint. The example runs on Linux and macOS. It needs a device with an interrupt IN endpoint, such as "interrupt" of usbvbus.

using System.Net;
using System.Net.Sockets;
using Native.LibUsb;

namespace Examples;

internal static class EventLoop
{
    private const byte InterruptIn = 0x83;

    public static void Run(ushort vendor, ushort product, int connections, int reports, TextWriter output, CancellationToken stop)
    {
        using var context = new UsbContext();
        using UsbDevice device = context.FindDevice(vendor, product) ?? throw new IOException("The device is not plugged in.");
        using UsbDeviceHandle handle = device.Open();
        using UsbInterface claimed = handle.ClaimInterface(0);

        using UsbTransfer transfer = handle.CreateTransfer();
        transfer.SetInterrupt(InterruptIn, 64, transfer => // no timeout: the transfer waits until a report arrives
        {
            bool completed = transfer.Status == UsbTransferStatus.Completed;
            output.WriteLine(completed ? $"USB: received {transfer.ActualLength} bytes" : $"USB: {transfer.Status}");
            reports = completed ? reports - 1 : 0;
            if (reports > 0)
                transfer.Submit(); // a plain callback must submit the transfer itself; UsbTransferHelper does so if a function returns true
        });
        if (reports > 0)
            transfer.Submit();

        using var listener = new TcpListener(IPAddress.Loopback, port: 0); // any free port
        listener.Server.Blocking = false; // if a client disconnects before it is accepted, the loop must not block until the next client connects
        listener.Start();
        int socket = (int)listener.Server.Handle;
        using var poller = new UsbPoller(context, new UsbSystemPoller());
        if (connections > 0)
            poller.Register(socket, UsbPollEvents.In);
        output.WriteLine($"Server listening on port {((IPEndPoint)listener.LocalEndpoint).Port}");

        using CancellationTokenRegistration wake = stop.Register(context.InterruptEventHandlers); // makes Poll return
        Span<UsbPollFd> ready = stackalloc UsbPollFd[8];
        while ((connections > 0 || reports > 0) && !stop.IsCancellationRequested)
        {
            int count = poller.Poll(ready, timeout: null); // Poll handles the USB events itself and does not return them
            foreach (UsbPollFd one in ready[..count])
            {
                if (one.FileDescriptor == socket && TryGreet(listener, output) && --connections == 0)
                    poller.Unregister(socket); // otherwise, a client that is not accepted would make each Poll return immediately
            }
        }

        output.WriteLine("Event loop stopped"); // disposing the handle cancels the transfers that are still in flight
    }

    private static bool TryGreet(TcpListener listener, TextWriter output)
    {
        try
        {
            using Socket client = listener.AcceptSocket();
            client.Send("Hello from the USB event loop!\n"u8);
            output.WriteLine("TCP: greeted a client");
            return true;
        }
        catch (SocketException gone)
        {
            output.WriteLine($"TCP: {gone.SocketErrorCode}");
            return false;
        }
    }
}
