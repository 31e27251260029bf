using System.Buffers.Binary;
using System.Net.Sockets;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Bus;

/// <summary>Tests that diagnostic tools (dotnet-trace, dotnet-dump, debuggers) can connect to a program that uses the virtual bus.</summary>
public sealed class DiagnosticsTests
{
    private const int HeaderSize = 20;

    [BusFact]
    public void The_runtime_answers_on_its_diagnostics_port()
    {
        using Watchdog watchdog = new();
        using VirtualBus bus = TestBus.Create();
        bus.Attach(new BulkLoopback());
        string port = Assert.Single(Directory.GetFiles(Path.GetTempPath(), $"dotnet-diagnostic-{Environment.ProcessId}-*-socket"));
        using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Connect(new UnixDomainSocketEndPoint(port));

        // The request consists of "DOTNET_IPC_V1", the size of the request, the number of the process command set (4) and the number of the command (0). This
        // command requests information about the process.
        byte[] request = [.. "DOTNET_IPC_V1\0"u8, HeaderSize, 0, 4, 0, 0, 0];
        Assert.Equal(HeaderSize, socket.Send(request));
        byte[] answer = new byte[HeaderSize + sizeof(long)];
        for (int received = 0; received < answer.Length;)
        {
            int count = socket.Receive(answer.AsSpan(received));
            Assert.NotEqual(0, count);
            received += count;
        }

        Assert.Equal("DOTNET_IPC_V1\0"u8, answer.AsSpan(0, 14));
        Assert.Equal([0xff, 0x00], answer[16..18]); // the command set of responses (0xff), and OK (0)
        Assert.Equal(Environment.ProcessId, BinaryPrimitives.ReadInt64LittleEndian(answer.AsSpan(HeaderSize)));
    }
}
