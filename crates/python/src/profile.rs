//! Profiles.

use std::path::PathBuf;
use std::sync::Arc;

use nandseqgen::embedded::DeviceProfile;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::refusal::{exception, problems};

/// A device profile.
#[pyclass(frozen, name = "Profile", module = "nandseqgen._nandseqgen")]
pub(crate) struct NativeProfile {
    pub(crate) device: Arc<DeviceProfile>,
}

#[pymethods]
impl NativeProfile {
    /// Reads a profile; without a path the built-in device.
    #[staticmethod]
    #[pyo3(signature = (path, lenient))]
    fn read(py: Python<'_>, path: Option<PathBuf>, lenient: bool) -> PyResult<Self> {
        match py.detach(move || DeviceProfile::read(path.as_deref(), lenient)) {
            Ok(device) => Ok(Self { device: Arc::new(device) }),
            Err(refusal) => Err(exception(py, &refusal)),
        }
    }

    /// The warnings and notes about it, each as keyword arguments.
    fn check<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        problems(py, &py.detach(|| self.device.check()))
    }

    #[getter]
    fn name(&self) -> &str {
        &self.device.profile().name
    }

    #[getter]
    fn text(&self) -> &str {
        self.device.text()
    }

    #[getter]
    fn path(&self) -> Option<PathBuf> {
        self.device.path().map(Into::into)
    }

    #[getter]
    fn lenient(&self) -> bool {
        self.device.is_lenient()
    }

    #[getter]
    fn dies(&self) -> u32 {
        self.device.profile().topology.dies
    }

    #[getter]
    fn planes(&self) -> u32 {
        self.device.profile().topology.planes
    }

    /// The op names, in order.
    #[getter]
    fn ops(&self) -> Vec<String> {
        self.device.profile().ops.iter().map(|op| op.name.clone()).collect()
    }
}
