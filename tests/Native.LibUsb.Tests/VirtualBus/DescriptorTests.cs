using System.Diagnostics;
using Native.LibUsb.Testing;

namespace Native.LibUsb.Tests.Bus;

/// <summary>Tests file operations on device nodes that programs may perform and libusb does not.</summary>
public sealed class DescriptorTests : IClassFixture<DescriptorTests.Program>
{
    private readonly Program _program;

    public DescriptorTests(Program program)
    {
        _program = program;
    }

    [BusTheory]
    [InlineData("read_before_the_start")]
    [InlineData("duplicate")]
    [InlineData("replace")]
    [InlineData("close_a_range")]
    [InlineData("close_each")]
    [InlineData("close_in_a_child")]
    [InlineData("look_at")]
    public void The_node_behaves_like_a_node_of_the_kernel(string subject)
    {
        using Watchdog watchdog = new();
        using VirtualBus bus = TestBus.Create();
        BulkLoopback loopback = new();
        bus.Attach(loopback);
        using Process process = _program.Start(bus, subject, Node(loopback));
        ExpectSuccess(process);
    }

    [BusFact]
    public void A_program_without_udev_receives_events()
    {
        using Watchdog watchdog = new();
        using VirtualBus bus = TestBus.Create();
        BulkLoopback loopback = new();
        bus.Attach(loopback);
        using Process process = _program.Start(bus, "hear_the_kernel", Node(loopback));
        Assert.Equal("ready", process.StandardOutput.ReadLine());
        bus.Attach(new InterruptSource());
        bus.Detach(loopback);
        ExpectSuccess(process);
    }

    private static string Node(VirtualDevice device) => $"/dev/bus/usb/{device.BusNumber:d3}/{device.DeviceNumber:d3}";

    private static void ExpectSuccess(Process process)
    {
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"The program ended with {process.ExitCode}: {error}");
    }

    /// <summary>Represents the compiled program.</summary>
    public sealed class Program : IDisposable
    {
        private readonly CProgram _program = new("descriptors.c");

        /// <summary>Starts the program.</summary>
        public Process Start(VirtualBus bus, params string[] arguments) => _program.Start(bus, arguments);

        /// <inheritdoc/>
        public void Dispose() => _program.Dispose();
    }
}
