using System.Runtime.InteropServices;

namespace Native.LibUsb;

/// <summary>Owns something that must be gone before the context is.</summary>
internal abstract class ContextChildHandle : SafeHandle, IOwnedHandle
{
    private readonly ContextHandle _context;

    protected ContextChildHandle(ContextHandle context)
        : base(0, ownsHandle: true)
    {
        HandleReference.Add(context); // throws when the context is gone
        _context = context;
    }

    public sealed override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    public abstract ObjectDisposedException DisposedFailure();

    /// <summary>Releases the context when there was nothing to own: the runtime never releases an invalid handle.</summary>
    public void Abandon()
    {
        SetHandleAsInvalid();
        _context.DangerousRelease();
    }

    protected sealed override bool ReleaseHandle()
    {
        if (!MayReleaseInCallback && CallbackScope.IsInside(_context))
            _context.Deferred.AddRelease(Release);
        else
            Release();
        return true;
    }

    /// <summary>Gets whether libusb allows the release in a callback of the context; otherwise it would deadlock.</summary>
    protected virtual bool MayReleaseInCallback => true;

    protected abstract void ReleaseChild();

    private void Release()
    {
        ReleaseChild();
        _context.DangerousRelease();
    }
}
